/** How often people said yes where the judge gave each value; a judge that can be read as a probability lies on the line. */
import { count, percent, wilson } from '../parts/format';
import classes from './Reliability.module.css';

export interface Bin {
  value: number;
  hits: number;
  of: number;
}

export function Reliability({ title, bins, name }: { title: string; bins: readonly Bin[]; name: string }) {
  const low = Math.min(...bins.map((bin) => bin.value));
  const high = Math.max(...bins.map((bin) => bin.value));
  const place = (value: number) => `${high > low ? ((value - low) / (high - low)) * 100 : 50}%`;
  const most = Math.max(...bins.map((bin) => bin.of));
  return (
    <figure
      className={classes.figure}
      aria-label={`${title}: ${bins.map((bin) => `${bin.value}: ${bin.hits} of ${bin.of}`).join('; ')}`}
    >
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.body}>
        {[0, 0.5, 1].map((at) => (
          <span key={at} className={classes.tick} style={{ bottom: `${at * 100}%` }}>
            {percent(at)}
          </span>
        ))}
        <div className={classes.plot}>
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <line
              x1="0"
              y1="100"
              x2="100"
              y2="0"
              stroke="var(--n-line-strong)"
              strokeDasharray="4 3"
              vectorEffect="non-scaling-stroke"
            />
          </svg>
          {bins.map((bin) => {
            const [from, to] = wilson(bin.hits, bin.of) ?? [0, 1];
            return (
              <span key={bin.value}>
                <i
                  className={classes.whisker}
                  style={{
                    left: place(bin.value),
                    bottom: `${from * 100}%`,
                    height: `${(to - from) * 100}%`,
                  }}
                />
                <i
                  className={classes.point}
                  title={`${name} ${bin.value}: ${count(bin.hits)} of ${count(bin.of)} called yes`}
                  style={{
                    left: place(bin.value),
                    bottom: `${(bin.hits / bin.of) * 100}%`,
                    ['--size' as string]: `${6 + 8 * Math.sqrt(bin.of / most)}px`,
                  }}
                />
              </span>
            );
          })}
        </div>
      </div>
      <div className={classes.axis} aria-hidden>
        {bins.map((bin) => (
          <span key={bin.value} style={{ left: place(bin.value) }}>
            {bin.value}
          </span>
        ))}
      </div>
      <p className={classes.names}>
        Share that people call yes, by what the judge gave; larger points rest on more answers.
      </p>
    </figure>
  );
}
