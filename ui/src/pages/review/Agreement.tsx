/** How far the reviewers agree beyond chance, and what was settled; over closed items only. */
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Estimate, UNIT } from '../../parts/Estimate';
import { Failure } from '../../parts/Failure';
import { count, duration, percent } from '../../parts/format';
import { Section } from '../../parts/Page';
import { agreementQuery, type Queue, resultsQuery } from './queries';
import classes from './Review.module.css';

/** 0 is what chance alone gives. */
const BEYOND_CHANCE = [-1, 1] as const;

export function Agreement({ queue }: { queue: Queue }) {
  const { project } = useScope();
  const found = useQuery(agreementQuery(project, queue.name));
  const settled = useQuery(resultsQuery(project, queue.name));
  const error = found.error ?? settled.error;
  if (error) return <Failure error={error} retry={() => void found.refetch()} />;
  if (!found.data || !settled.data) return <output className={classes.waiting}>Counting…</output>;
  if (found.data.items === 0) {
    return (
      <Empty title="Nothing is closed yet">
        Agreement is counted over items whose reviews are all given. Nothing is told of the others, so that
        reviews stay independent.
      </Empty>
    );
  }
  const { items, disputed, questions, reviewers } = found.data;
  const title = (name: string) => queue.form.find((each) => each.name === name)?.title || name;
  return (
    <>
      <Section
        title="Agreement"
        note={`${count(items)} closed ${items === 1 ? 'item' : 'items'}, ${count(disputed)} of them disputed`}
      >
        {questions.length === 0 ? (
          <p className="dim">The form asks nothing that can be compared.</p>
        ) : (
          <Table
            heads={['Question', 'Items', 'All agree', "Krippendorff's α", 'κ']}
            label="Agreement by question"
          >
            {questions.map((each) => (
              <tr key={each.question}>
                <th scope="row">{title(each.question)}</th>
                <td className="num">{count(each.items)}</td>
                <td>
                  <Estimate of={each.exact} domain={UNIT} say={percent} noun="items" />
                </td>
                <td>
                  <Estimate of={each.alpha} domain={BEYOND_CHANCE} noun="items" />
                </td>
                <td>
                  <Estimate of={each.cohen ?? each.fleiss} domain={BEYOND_CHANCE} noun="items" />
                  {(each.cohen ?? each.fleiss) && (
                    <span className="dim"> {each.cohen ? 'Cohen' : 'Fleiss'}</span>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
        {questions.map((each) => (
          <Pairs key={each.question} title={title(each.question)} pairs={each.pairs} />
        ))}
      </Section>
      <Section title="What was settled">
        <Results questions={settled.data.questions} title={title} />
      </Section>
      {reviewers.length > 0 && (
        <Section title="Reviewers" note="beside what was settled between several people">
          <Table heads={['Reviewer', 'Reviews', 'As settled', 'Median time']} label="Reviewers">
            {reviewers.map((each) => (
              <tr key={each.reviewer}>
                <th scope="row">{each.name}</th>
                <td className="num">{count(each.reviews)}</td>
                <td>
                  <Estimate of={each.agree} domain={UNIT} say={percent} noun="items" />
                </td>
                <td className="num">{duration(each.seconds * 1000)}</td>
              </tr>
            ))}
          </Table>
        </Section>
      )}
    </>
  );
}

function Table({ heads, label, children }: { heads: string[]; label: string; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keys
    <div className={classes.scroll} tabIndex={0}>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** How often one said this and another that: the diagonal is agreement. */
function Pairs({ title, pairs }: { title: string; pairs: Record<string, Record<string, number>> }) {
  const values = [...new Set([...Object.keys(pairs), ...Object.values(pairs).flatMap(Object.keys)])].sort();
  if (values.length < 2) return null;
  const most = Math.max(...Object.values(pairs).flatMap((row) => Object.values(row)));
  return (
    <details className={classes.known}>
      <summary>Who said what together: {title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keys */}
      <div className={classes.scroll} tabIndex={0}>
        <table className={classes.pairs}>
          <thead>
            <tr>
              <th scope="col">one / another</th>
              {values.map((value) => (
                <th key={value} scope="col">
                  {value}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {values.map((row) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {values.map((column) => {
                  const times = pairs[row]?.[column] ?? 0;
                  return (
                    <td
                      key={column}
                      className="num"
                      data-same={row === column || undefined}
                      style={{ '--share': times / most } as React.CSSProperties}
                    >
                      {count(times)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Results({
  questions,
  title,
}: {
  questions: Schemas['QuestionResultBody'][];
  title: (name: string) => string;
}) {
  return (
    <div className={classes.results}>
      {questions.map((each) => (
        <section key={each.question} aria-label={title(each.question)}>
          <h3>
            {title(each.question)}{' '}
            <span className="dim">
              {count(each.items)} {each.items === 1 ? 'item' : 'items'}
            </span>
          </h3>
          {each.items === 0 && <p className="dim">Nothing is settled yet.</p>}
          {Object.entries(each.shares).map(([word, share]) => (
            <div key={word} className={classes.share}>
              <span className="ellipsis">{word}</span>
              <Estimate of={share} domain={UNIT} say={percent} noun="items" />
            </div>
          ))}
          {each.mean && (
            <div className={classes.share}>
              <span>{each.kind === 'survey' ? 'score' : 'mean'}</span>
              <span className="num">
                {each.mean.estimate === null ? each.mean.method : each.mean.estimate.toFixed(2)}
                {each.mean.low !== null && each.mean.high !== null && (
                  <span className="dim">
                    {' '}
                    ({each.mean.low.toFixed(2)} to {each.mean.high.toFixed(2)})
                  </span>
                )}
              </span>
            </div>
          )}
          {each.texts > 0 && (
            <p>
              {count(each.texts)} {each.texts === 1 ? 'text' : 'texts'}
            </p>
          )}
        </section>
      ))}
    </div>
  );
}
