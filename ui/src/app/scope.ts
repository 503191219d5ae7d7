/** What the URL says for every page: project and range of time. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { Range } from '../parts/range';

export interface RootSearch {
  project?: string;
  from?: string;
  to?: string;
  /** Id of the trace in the peek panel. */
  peek?: string;
  /** Id of the span chosen in a trace. */
  span?: string;
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

export function rootSearch(raw: Record<string, unknown>): RootSearch {
  const found: RootSearch = {};
  for (const key of ['project', 'from', 'to', 'peek', 'span'] as const) {
    const value = text(raw[key]);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

export function useScope(): { project: string; from: string; to: string } {
  const search = useSearch({ strict: false }) as RootSearch;
  return { project: search.project ?? 'default', from: search.from ?? '-1h', to: search.to ?? 'now' };
}

/** Changes some of the URL's search words; null takes one out. A change of range or filter is a step back. */
export function useSetSearch(): (
  change: Record<string, string | null>,
  options?: { replace?: boolean },
) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, options) => {
      void navigate({
        to: '.',
        replace: options?.replace ?? false,
        resetScroll: false,
        search: ((before: Record<string, unknown>) => {
          const after = { ...before };
          for (const [key, value] of Object.entries(change)) {
            if (value === null || value === '') delete after[key];
            else after[key] = value;
          }
          return after;
        }) as never,
      });
    },
    [navigate],
  );
}

export function useSetRange(): (range: Range) => void {
  const set = useSetSearch();
  return useCallback((range) => set({ from: range.from, to: range.to === 'now' ? null : range.to }), [set]);
}
