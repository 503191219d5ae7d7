/** An answer as it comes; with log-probabilities each token is tinted by its doubt. */
import { Tooltip } from '@mantine/core';
import { percent } from '../parts/format';
import classes from './Output.module.css';
import type { Run } from './run';

/** Beyond this many tokens the heat is left out: each is an element of its own. */
const MOST = 2_000;

export function Output({ run, heat }: { run: Run; heat: boolean }) {
  const live = run.state === 'waiting' || run.state === 'streaming';
  const shown = heat && run.tokens.length > 0 && run.tokens.length <= MOST;
  return (
    <div className={classes.output} aria-busy={live}>
      {run.reasoning && <div className={classes.reasoning}>{run.reasoning}</div>}
      {shown ? (
        <span>
          {run.tokens.map((token, index) => (
            <Tooltip
              // biome-ignore lint/suspicious/noArrayIndexKey: tokens are only ever added at the end
              key={index}
              openDelay={80}
              label={
                <span className="num">
                  {percent(token.probability)}
                  {token.others
                    .filter((other) => other.text !== token.text)
                    .slice(0, 3)
                    .map((other) => ` · ${JSON.stringify(other.text)} ${percent(other.probability)}`)}
                </span>
              }
            >
              <span
                className={classes.token}
                style={{ ['--doubt' as string]: `${Math.round((1 - token.probability) * 70)}%` }}
              >
                {token.text}
              </span>
            </Tooltip>
          ))}
        </span>
      ) : (
        run.text
      )}
      {live && <i className={classes.caret} aria-hidden />}
      {run.tools.filter(Boolean).map((tool, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tool calls keep their place
        <pre key={index} className={classes.tool}>
          {tool.name}({tool.arguments})
        </pre>
      ))}
      {run.error && (
        <div className={classes.error} role="alert">
          {run.error}
        </div>
      )}
      {run.state === 'stopped' && <div className={classes.note}>Stopped.</div>}
      {run.stop === 'length' && <div className={classes.note}>Cut off at the limit of output tokens.</div>}
      {run.state === 'done' && !run.text && run.tools.length === 0 && (
        <div className={classes.note}>The model answered with nothing.</div>
      )}
    </div>
  );
}
