/** What is concluded: each question's answer, each adaptation, each risk, with its numbers in the sentence. */
import type { Findings } from '../../api/explorations';
import { count, percent } from '../../parts/format';
import { Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import classes from './Explore.module.css';
import { ANSWERS, nameOf } from './told';

/** Each way with its answers; a row opens the sentences. The best way is open from the start. */
export function Held({ found }: { found: Findings }) {
  const asked = found.findings.filter((way) => way.verdicts.length > 0);
  const best = found.best === null ? undefined : found.findings[found.best];
  if (asked.length === 0) return null;
  return (
    <Section
      title="Held against the brief"
      note={`intervals at ${percent(found.corrected)}, so that all together hold at ${percent(found.level)}`}
    >
      <div className={classes.held}>
        {asked.map((way) => (
          <details key={nameOf(way)} open={way === best}>
            <summary>
              <span className={classes.about}>{nameOf(way)}</span>
              <span className={classes.answers}>
                {way.verdicts.map((one) => (
                  <Status
                    key={one.question}
                    tone={ANSWERS[one.answer]}
                    word={`${one.question} ${one.answer}`}
                  />
                ))}
              </span>
            </summary>
            {way.verdicts.map((one) => (
              <p key={one.question}>{one.sentence}</p>
            ))}
          </details>
        ))}
      </div>
    </Section>
  );
}

export function Advice({ found }: { found: Findings }) {
  if (found.advice.length === 0) return null;
  return (
    <Section title="Which adaptation">
      <ul className={classes.list}>
        {found.advice.map((one) => (
          <li key={one.adaptation}>
            <Status tone={ANSWERS[one.stance]} word={`${one.adaptation}: ${one.stance}`} />
            <p>{one.sentence}</p>
            {one.evidence.length > 0 && (
              <details>
                <summary>Evidence</summary>
                <ul>
                  {one.evidence.map((sentence) => (
                    <li key={sentence}>{sentence}</li>
                  ))}
                </ul>
              </details>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Risks({ found }: { found: Findings }) {
  return (
    <Section title="Complexity and risks">
      <ul className={classes.list}>
        {[...found.complexity, ...found.risks].map((one) => (
          <li key={`${one.about} ${one.sentence}`}>
            <span className={classes.about}>{one.about}</span>
            <p>{one.sentence}</p>
            {one.samples.length > 0 && (
              <p className="dim">
                {one.samples.slice(0, 8).join(', ')}
                {one.samples.length > 8 && ` and ${count(one.samples.length - 8)} more`}
              </p>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
