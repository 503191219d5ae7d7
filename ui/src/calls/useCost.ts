/** The cost of a finished call: from its header where there is one, else from its trace, which takes a moment. */
import { useQuery } from '@tanstack/react-query';
import { traceQuery } from '../api/queries';
import type { Run } from './run';

/** undefined: not known yet; null: there is no price. */
export function useCost(project: string, run: Run | null): string | null | undefined {
  const ended = run !== null && run.state !== 'waiting' && run.state !== 'streaming';
  const ask = ended && run.cost === null && run.trace !== null;
  const { data } = useQuery({
    ...traceQuery(project, run?.trace ?? ''),
    enabled: ask,
    retry: 6,
    retryDelay: 600,
  });
  if (run?.cost) return run.cost;
  return data ? data.trace.summary.cost : undefined;
}
