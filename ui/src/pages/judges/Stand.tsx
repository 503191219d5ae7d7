import type { Judge } from '../../api/judges';
import { Status } from '../../parts/Status';

const WORDS = { pass: ['good', 'yes'], fail: ['bad', 'no'], undecided: ['warn', 'not calibrated'] } as const;

/** Whether a judge's scores may decide; the reason is on hover. */
export function Stand({ judge }: { judge: Judge }) {
  const [tone, word] = WORDS[judge.gate.verdict];
  return <Status tone={tone} word={word} hint={judge.gate.reason} />;
}
