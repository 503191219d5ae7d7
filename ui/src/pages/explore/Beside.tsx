/** Models beside one another: what their cards say, and the best that was measured of each. */
import type { ReactNode } from 'react';
import type { Candidate, Findings, Way } from '../../api/explorations';
import { Estimate } from '../../parts/Estimate';
import { count, duration, money, parameters } from '../../parts/format';
import classes from './Explore.module.css';
import { bestOf, priceOf } from './told';

type Facts = Candidate['facts'][number];

const STATED: [string, (facts: Facts) => ReactNode][] = [
  ['Licence', (facts) => (facts.licence ? `${facts.licence} (${facts.licence_kind})` : 'not known')],
  ['Parameters', (facts) => (facts.parameters === null ? 'not known' : parameters(facts.parameters))],
  ['Context', (facts) => (facts.context === null ? 'not known' : count(facts.context))],
  ['$ per 1M in → out', priceOf],
  ['Price of', (facts) => facts.price_date ?? '–'],
  ['Runs', (facts) => (facts.local ? 'on this machine' : facts.region || 'region not stated')],
  ['Training', (facts) => facts.training ?? '–'],
  ['Fine-tuning', (facts) => facts.fine_tuning ?? '–'],
];

export function Beside({ found }: { found: Findings }) {
  const models = found.candidates;
  const stated = (row: (facts: Facts) => ReactNode, one: Candidate) =>
    one.facts.map((facts) => (
      <div key={facts.model}>
        {one.facts.length > 1 && <span className="dim">{facts.model}: </span>}
        {row(facts)}
      </div>
    ));
  const measured = (name: string, row: (way: Way) => ReactNode) => (
    <tr key={name}>
      <th scope="row">{name}</th>
      {models.map((one) => {
        const way = bestOf(one.model, found.findings);
        return <td key={one.model}>{way ? row(way) : <span className="dim">–</span>}</td>;
      })}
    </tr>
  );
  const group = (name: string) => (
    <tr>
      <th scope="colgroup" colSpan={models.length + 1} className={classes.group}>
        {name}
      </th>
    </tr>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keys
    <section className={classes.scroll} aria-label="Models beside one another" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <td />
            {models.map((one) => (
              <th key={one.model} scope="col">
                {one.model}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {group('Stated')}
          {STATED.map(([name, row]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {models.map((one) => (
                <td key={one.model}>{stated(row, one)}</td>
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row">Tried</th>
            {models.map((one) => (
              <td key={one.model}>
                {one.excluded.length > 0 ? `no: ${one.excluded.join('; ')}` : 'yes'}
                {one.unknown.length > 0 && <div className="dim">{one.unknown.join('; ')}</div>}
              </td>
            ))}
          </tr>
          {group('Measured, of the best way by its estimate')}
          {measured('Way', (way) => way.way)}
          {measured(found.exploration.measure || 'Quality', (way) => (
            <Estimate of={way.quality} noun="samples" />
          ))}
          {measured('$ of 1,000', (way) =>
            way.cost ? <Estimate of={way.cost} say={money} noun="samples" /> : 'unknown',
          )}
          {measured('Latency p50', (way) => (way.p50 === null ? '–' : duration(way.p50 * 1000)))}
          {measured('Latency p95', (way) => (way.p95 === null ? '–' : duration(way.p95 * 1000)))}
        </tbody>
      </table>
    </section>
  );
}
