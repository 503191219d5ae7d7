/** What is concluded: each question's answer, each adaptation, each risk, with its numbers in the sentence. */
import type { Findings } from '../../api/explorations';
import { count } from '../../parts/format';
import { Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import classes from './Explore.module.css';
import { ANSWERS, nameOf } from './told';

export function Told({ found }: { found: Findings }) {
  const asked = found.findings.flatMap((way) => way.verdicts.map((verdict) => ({ way, verdict })));
  return (
    <>
      {asked.length > 0 && (
        <Section
          title="Held against the brief"
          note={`all answers together hold at ${Math.round(found.level * 100)} %`}
        >
          <ul className={classes.list}>
            {asked.map(({ way, verdict }) => (
              <li key={`${nameOf(way)} ${verdict.question}`}>
                <Status tone={ANSWERS[verdict.answer]} word={`${verdict.question}: ${verdict.answer}`} />{' '}
                <span className={classes.about}>{nameOf(way)}</span>
                <p>{verdict.sentence}</p>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {found.advice.length > 0 && (
        <Section title="Which adaptation">
          <ul className={classes.list}>
            {found.advice.map((one) => (
              <li key={one.adaptation}>
                <Status tone={ANSWERS[one.stance]} word={`${one.adaptation}: ${one.stance}`} />
                <p>{one.sentence}</p>
                {one.evidence.length > 0 && (
                  <ul>
                    {one.evidence.map((sentence) => (
                      <li key={sentence}>{sentence}</li>
                    ))}
                  </ul>
                )}
              </li>
            ))}
          </ul>
        </Section>
      )}
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
    </>
  );
}
