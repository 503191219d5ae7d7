/** All that a run has measured: quality with its doubt, and what an answer took. */
import type { Measure, RunDetail, Spent } from '../../api/evals';
import { Estimate } from '../../parts/Estimate';
import { count, duration, money, percent } from '../../parts/format';
import classes from './Evaluations.module.css';
import { domain, SPENT } from './quality';

export function Measures({
  metrics,
  onChoose,
}: {
  metrics: RunDetail['metrics'];
  onChoose?: (scorer: string) => void;
}) {
  const { measures, latency, cost, tokens } = metrics;
  const quality = measures.filter((measure) => !SPENT.has(measure.name));
  const spent: [string, Spent | null, (value: number) => string][] = [
    ['Latency', latency, (value) => duration(value * 1000)],
    ['Cost', cost, money],
    ['Tokens', tokens, (value) => count(value)],
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className={classes.tables} role="region" aria-label="Measures" tabIndex={0}>
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            <th scope="col">With 95 % interval</th>
            <th scope="col" data-end>
              Scores
            </th>
            <th scope="col">Without a value</th>
          </tr>
        </thead>
        <tbody>
          {quality.map((measure) => (
            <tr key={measure.name}>
              <th scope="row">
                {onChoose ? (
                  <button type="button" className={classes.choose} onClick={() => onChoose(measure.name)}>
                    {measure.name}
                  </button>
                ) : (
                  measure.name
                )}
                {measure.better === 'lower' && <span className="dim"> lower is better</span>}
              </th>
              <td>
                <Value measure={measure} />
              </td>
              <td data-end className="num">
                {count(measure.scores)}
              </td>
              <td>
                {measure.failed > 0 ? (
                  <span className={classes.failed}>
                    {count(measure.failed)}
                    {measure.why_failed.map(([why, times]) => (
                      <span key={why} className={classes.why}>
                        {count(times)} × {why}
                      </span>
                    ))}
                  </span>
                ) : (
                  <span className="dim">none</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {quality.length === 0 && <p className={classes.words}>Nothing has been scored yet.</p>}
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">An answer took</th>
            <th scope="col">Mean</th>
            <th scope="col" data-end>
              p50
            </th>
            <th scope="col" data-end>
              p95
            </th>
            <th scope="col" data-end>
              Most
            </th>
            <th scope="col" data-end>
              Together
            </th>
          </tr>
        </thead>
        <tbody>
          {spent.map(([name, found, say]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {found ? (
                <>
                  <td>
                    <Estimate of={found.mean} say={say} noun="answers" />
                  </td>
                  {[found.p50, found.p95, found.most, found.total].map((value, index) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: four columns that keep their places
                    <td key={index} data-end className="num">
                      {say(value)}
                    </td>
                  ))}
                </>
              ) : (
                <td colSpan={5} className="dim">
                  not known
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Value({ measure }: { measure: Measure }) {
  if (measure.kind === 'category') {
    const all = Object.values(measure.counts).reduce((sum, each) => sum + each, 0);
    return (
      <span className={classes.counts}>
        {Object.entries(measure.counts)
          .sort(([, a], [, b]) => b - a)
          .map(([value, times]) => (
            <span key={value} className="num">
              {value} <span className="dim">{count(times)}</span> {percent(times / all)}
            </span>
          ))}
      </span>
    );
  }
  return (
    <span className={classes.counts}>
      <Estimate of={measure.interval} domain={domain(measure)} />
      {measure.corrected && (
        <span className="dim">
          {measure.corrected.interval ? (
            <>
              people would say <Estimate of={measure.corrected.interval} />
            </>
          ) : (
            `not corrected: ${measure.corrected.why}`
          )}
        </span>
      )}
      {measure.passes.map((pass) => (
        <span key={pass.k} className="num">
          pass@{pass.k} <Estimate of={pass.any} /> · pass^{pass.k} <Estimate of={pass.all} />
        </span>
      ))}
    </span>
  );
}
