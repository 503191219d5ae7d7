import type { Lint } from '../../api/prompts';
import { count, money } from '../../parts/format';
import { Status, type Tone } from '../../parts/Status';
import classes from './Prompts.module.css';

const TONES: Record<string, Tone> = { error: 'bad', warning: 'warn', note: 'none' };

/** What lint says: each finding with its place, and what the text costs by model. */
export function Findings({ lint, error }: { lint: Lint | undefined; error: Error | null }) {
  if (error) return <p className={classes.wrong}>{error.message}</p>;
  if (!lint) return <p className={classes.words}>Looking …</p>;
  return (
    <>
      {lint.findings.length === 0 && <Status tone="good" word="nothing found" />}
      <ul className={classes.findings}>
        {lint.findings.map((one) => (
          <li key={`${one.code} ${one.where} ${one.message}`}>
            <Status tone={TONES[one.severity] ?? 'none'} word={one.severity} />
            <span>
              {one.message}{' '}
              <span className="dim mono">{[one.where, one.code].filter(Boolean).join(' · ')}</span>
            </span>
          </li>
        ))}
      </ul>
      {lint.models.map((one) => (
        <p key={one.model} className={classes.words}>
          {one.model}: {count(one.tokens)} tokens
          {one.input_cost !== null && `, ${money(one.input_cost)} of input for a thousand calls`}
          {one.context !== null && `, of a context of ${count(one.context)}`}
        </p>
      ))}
    </>
  );
}
