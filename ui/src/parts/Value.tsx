/**
 * Figures and ids as they stand in tables and headers. What more there is to know is in the `title`: a table has
 * hundreds of them, and a floating tooltip each would slow down every key press.
 */
import { CopyButton, UnstyledButton } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { ago, count, duration, exact, money } from './format';
import classes from './Value.module.css';

export function Money({ value, unknown = 0 }: { value: string | null | undefined; unknown?: number }) {
  if (value === null || value === undefined || (unknown > 0 && Number(value) === 0)) {
    return (
      <span
        className={classes.unknown}
        title="There is no price for this model, so its cost is unknown: it is not zero."
      >
        unknown
      </span>
    );
  }
  return (
    <span
      className="num"
      title={`$${value}${unknown > 0 ? `, and ${count(unknown)} calls whose cost is unknown` : ''}`}
    >
      {money(value)}
      {unknown > 0 && <span className={classes.unknown}> + ?</span>}
    </span>
  );
}

export function Duration({ ms }: { ms: number | null | undefined }) {
  return <span className="num">{duration(ms)}</span>;
}

/** Tokens in and out. */
export function Tokens({
  input,
  output,
}: {
  input: number | null | undefined;
  output: number | null | undefined;
}) {
  if ((input ?? null) === null && (output ?? null) === null) return <span className="dim">–</span>;
  return (
    <span className="num" title={`${input ?? 'unknown'} tokens in, ${output ?? 'unknown'} out`}>
      {count(input)} <span className="dim">→</span> {count(output)}
    </span>
  );
}

let beat = 0;
const listeners = new Set<(now: number) => void>();

/** The time now, told again every ten seconds to all who show how long ago something was. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    listeners.add(setNow);
    if (!beat) {
      beat = window.setInterval(() => {
        for (const each of listeners) each(Date.now());
      }, 10_000);
    }
    return () => {
      listeners.delete(setNow);
      if (listeners.size === 0) {
        window.clearInterval(beat);
        beat = 0;
      }
    };
  }, []);
  return now;
}

/** How long ago; the exact local time on hover. */
export function When({ ms }: { ms: number | null | undefined }) {
  const now = useNow();
  if (ms === null || ms === undefined) return <span className="dim">never</span>;
  return (
    <time className="num" dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {ago(ms, now)}
    </time>
  );
}

/** An id that a click copies. */
export function Id({ value, short }: { value: string; short?: number }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <UnstyledButton
          className={classes.id}
          aria-label={copied ? 'Copied' : `Copy ${value}`}
          title={`Copy ${value}`}
          onClick={(event) => {
            event.stopPropagation();
            copy();
          }}
        >
          {copied && <IconCheck size={11} />}
          {short && value.length > short ? `${value.slice(0, short)}…` : value}
        </UnstyledButton>
      )}
    </CopyButton>
  );
}
