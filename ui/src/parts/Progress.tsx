/** A long job: done, left, rate, and a way to stop it. */
import { Progress as Bar, Button } from '@mantine/core';
import { bytes, count, duration } from './format';
import classes from './Progress.module.css';
import { useNow } from './Value';

interface Props {
  label: string;
  done: number | null;
  total: number | null;
  /** When it began, Unix milliseconds. */
  since: number;
  unit: string;
  words: string;
  onStop?: () => void;
}

export function Progress({ label, done, total, since, unit, words, onStop }: Props) {
  const now = useNow();
  const say = (value: number) =>
    unit === 'bytes' || unit === 'B' ? bytes(value) : `${count(value)} ${unit}`;
  const passed = Math.max(0, now - since) / 1000;
  const rate = done && passed > 2 ? done / passed : null;
  const left = rate && total && done !== null ? ((total - done) / rate) * 1000 : null;
  return (
    <div className={classes.progress}>
      <Bar
        value={total && done !== null ? (done / total) * 100 : 100}
        animated={!total || done === null}
        aria-label={label}
        size={6}
      />
      <div className={`num ${classes.line}`}>
        <span>
          {done === null ? words || 'starting' : total ? `${say(done)} of ${say(total)}` : say(done)}
          {rate ? ` · ${say(Math.round(rate))}/s` : ''}
          {left ? ` · ${duration(left)} left` : ''}
        </span>
        {onStop && (
          <Button variant="subtle" color="gray" size="compact-xs" onClick={onStop}>
            Stop
          </Button>
        )}
      </div>
    </div>
  );
}
