/** Every way that models were asked, with what was measured of it and where it stands. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Findings, Way } from '../../api/explorations';
import { seriesColours } from '../../charts/colour';
import { Front } from '../../charts/Front';
import { type Column, DataTable } from '../../parts/DataTable';
import { Estimate } from '../../parts/Estimate';
import { count, duration, figure, money } from '../../parts/format';
import { Status } from '../../parts/Status';
import classes from './Explore.module.css';
import { bestOf, nameOf, standing } from './told';

const unit = (way: Way) => {
  const { low, high } = way.quality ?? { low: null, high: null };
  return low !== null && high !== null && low >= 0 && high <= 1 ? ([0, 1] as const) : null;
};

export function Ways({ found }: { found: Findings }) {
  const navigate = useNavigate();
  const ways = found.findings;
  const columns = useMemo(() => make(ways, found.exploration.measure), [ways, found.exploration.measure]);
  const colours = seriesColours(found.exploration.models);
  const drawn = ways.filter((way) => way.whole && way.quality?.estimate != null);
  // More than the front and each model's best could not be told from one another.
  const shown = drawn.filter(
    (way) => way.place.standing === 'front' || way === bestOf(way.model, found.findings),
  );
  const points = shown.flatMap((way) => {
    const { quality, cost } = way;
    return quality?.estimate == null || cost?.estimate == null
      ? []
      : [
          {
            id: nameOf(way),
            name: nameOf(way),
            colour: colours.get(way.model) ?? '--n-s1',
            x: cost.estimate,
            y: quality.estimate,
            low: quality.low,
            high: quality.high,
          },
        ];
  });
  return (
    <div className={classes.measured}>
      {points.length > 1 && (
        <Front
          title={`${found.exploration.measure} against the cost of a thousand calls: the front, and each model's best`}
          points={points}
          missing={shown.filter((way) => way.cost?.estimate == null).map(nameOf)}
          xName="US dollars of a thousand calls"
          xSay={(value) => (value === 0 ? '$0' : money(value))}
          yName={found.exploration.measure}
          better={drawn[0]?.better === 'lower' ? 'lower' : 'higher'}
        />
      )}
      <DataTable
        label="Ways of asking"
        columns={columns}
        rows={ways}
        id={nameOf}
        onOpen={(way) => way.run && void navigate({ to: '/evaluations/$id', params: { id: way.run } })}
      />
    </div>
  );
}

function make(ways: readonly Way[], measure: string): Column<Way>[] {
  return [
    {
      id: 'way',
      header: 'Model and way',
      width: 'minmax(180px, 1.4fr)',
      narrow: 'first',
      cell: (way) => (
        <span className="ellipsis" title={nameOf(way)}>
          <b className={classes.name}>{way.model}</b> {way.way}
        </span>
      ),
      value: nameOf,
    },
    {
      id: 'quality',
      header: measure || 'Agreement',
      width: 'minmax(150px, 1fr)',
      narrow: 'second',
      cell: (way) =>
        measure ? (
          <Estimate of={way.quality} domain={unit(way)} noun="samples" />
        ) : (
          <Estimate of={way.agreement} domain={[0, 1]} noun="samples" />
        ),
      value: (way) => (measure ? way.quality : way.agreement)?.estimate ?? null,
    },
    {
      id: 'cost',
      header: '$ of 1,000',
      width: '130px',
      end: true,
      cell: (way) =>
        way.cost ? (
          <Estimate of={way.cost} say={money} noun="samples" />
        ) : (
          <span className="dim">{way.run ? 'unknown' : '–'}</span>
        ),
      value: (way) => way.cost?.estimate ?? null,
    },
    {
      id: 'latency',
      header: 'p50 / p95',
      width: '130px',
      end: true,
      cell: (way) =>
        way.p50 === null || way.p95 === null ? (
          <span className="dim">–</span>
        ) : (
          <span className="num">
            {duration(way.p50 * 1000)} <span className="dim">/ {duration(way.p95 * 1000)}</span>
          </span>
        ),
      value: (way) => way.p95,
    },
    {
      id: 'failed',
      header: 'Failed',
      width: '84px',
      end: true,
      cell: (way) => (
        <span
          className="num"
          title={`${way.unscored} scores failed; ${way.cut} answers ended at the most tokens`}
        >
          {count(way.failed)} <span className="dim">of {count(way.answers)}</span>
        </span>
      ),
      value: (way) => way.failed,
    },
    {
      id: 'place',
      header: 'Front',
      width: 'minmax(150px, 1.2fr)',
      cell: (way) => {
        const { tone, word, hint } = standing(way, ways);
        return (
          <span className="ellipsis" title={[word, hint, axes(way)].filter(Boolean).join('; ')}>
            <Status tone={tone} word={word} />
          </span>
        );
      },
    },
  ];
}

const axes = (way: Way) =>
  Object.entries(way.place.axes)
    .map(([name, p]) => `p of ${name} ${figure(p)}`)
    .join(', ');
