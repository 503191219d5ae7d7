/** A call that a component shows, starts and stops. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Call, run as make, type Run } from './run';

export function useRun(project: string) {
  const [run, setRun] = useState<Run | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = useCallback(
    async (call: Call) => {
      abort.current?.abort();
      const mine = new AbortController();
      abort.current = mine;
      const draw = (now: Run) => {
        if (abort.current === mine) setRun(now);
      };
      const last = await make(project, call, mine.signal, draw);
      draw(last);
      return last;
    },
    [project],
  );
  const stop = useCallback(() => abort.current?.abort(), []);
  const busy = run?.state === 'waiting' || run?.state === 'streaming';
  return { run, busy, start, stop };
}
