/** What a search came to, as the page reads it. Pure. */
import type { Optimization } from '../../api/optimizations';
import type { Tone } from '../../parts/Status';

const TONES: Record<Optimization['state'], Tone> = {
  queued: 'none',
  running: 'none',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
};

/** A search that is done and has found nothing better is no success: it says so. */
export function outcome(one: Pick<Optimization, 'state' | 'number'>): { tone: Tone; word: string } {
  if (one.state !== 'done') return { tone: TONES[one.state], word: one.state };
  return one.number === null
    ? { tone: 'none', word: 'nothing better shown' }
    : { tone: 'good', word: `version ${one.number}` };
}
