/** Time to first token, speed, tokens and cost of a call, as they become known. */
import { Link } from '@tanstack/react-router';
import { count, duration, money } from '../parts/format';
import classes from './Figures.module.css';
import { type Run, speed } from './run';
import { useCost } from './useCost';

export function Figures({ project, run }: { project: string; run: Run }) {
  const cost = useCost(project, run);
  const fast = speed(run);
  const streaming = run.state === 'waiting' || run.state === 'streaming';
  return (
    <dl className={`num ${classes.figures}`}>
      <Figure
        name="First token"
        value={run.firstMs === null ? (streaming ? '…' : '–') : duration(run.firstMs)}
      />
      <Figure name="Speed" value={fast === null ? (streaming ? '…' : '–') : `${count(fast)} tokens/s`} />
      <Figure name="Total" value={duration(run.ms)} />
      <Figure
        name="Tokens"
        value={run.usage ? `${count(run.usage.input)} → ${count(run.usage.output)}` : streaming ? '…' : '–'}
      />
      <Figure name="Cost" value={cost === undefined ? (run.trace ? '…' : '–') : money(cost)} />
      {run.trace && !streaming && (
        <Link to="/traces/$id" params={{ id: run.trace }} className={classes.trace}>
          Trace
        </Link>
      )}
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
