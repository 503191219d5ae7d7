/** Every query of the page, by noun, so that keys are written once. */
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError, api, ask, type Schemas, setCsrf } from './client';

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
    },
  },
});

/** What every question about traces names. */
export interface Scope {
  project: string;
  from: string;
  to: string;
  q?: string;
}

const clean = ({ q, ...rest }: Scope) => (q ? { ...rest, q } : rest);

export type Sort = 'newest' | 'oldest' | 'slowest' | 'costliest';

export const sessionQuery = (project: string) =>
  queryOptions({
    queryKey: ['session', project],
    queryFn: async ({ signal }) => {
      const state = await ask(api.GET('/api/session', { params: { query: { project } }, signal }));
      setCsrf(state.csrf ?? null);
      return state;
    },
    staleTime: 60_000,
  });

export const pulseQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['pulse', scope],
    queryFn: ({ signal }) => ask(api.GET('/api/pulse', { params: { query: clean(scope) }, signal })),
    placeholderData: (before) => before,
  });

/** What people said, counted; with the mean's interval where there are numbers. */
export const saidQuery = ({ project, from, to }: Scope) =>
  queryOptions({
    queryKey: ['said', project, from, to],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/feedback/said', { params: { query: { project, from, to } }, signal })),
    placeholderData: (before) => before,
  });

export const tracesQuery = (scope: Scope, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: ['traces', scope, sort],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/traces', {
          params: {
            query: { ...clean(scope), sort, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const heatMapQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['heatmap', scope],
    queryFn: ({ signal }) => ask(api.GET('/api/traces/heatmap', { params: { query: clean(scope) }, signal })),
    placeholderData: (before) => before,
  });

export const facetsQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['facets', scope],
    queryFn: ({ signal }) => ask(api.GET('/api/traces/facets', { params: { query: clean(scope) }, signal })),
    placeholderData: (before) => before,
  });

export const sinceQuery = (project: string, position: string | null) =>
  queryOptions({
    queryKey: ['since', project, position],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/traces/since', {
          params: { query: { project, ...(position ? { position } : {}) } },
          signal,
        }),
      ),
  });

export const traceQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['trace', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/traces/{id}', { params: { path: { id }, query: { project } }, signal })),
    staleTime: 5_000,
  });

export const sessionsQuery = (scope: Scope) =>
  infiniteQueryOptions({
    queryKey: ['sessions', scope],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/sessions', {
          params: {
            query: {
              project: scope.project,
              from: scope.from,
              to: scope.to,
              limit: 100,
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const sessionDetailQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['session-detail', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/sessions/{id}', { params: { path: { id }, query: { project } }, signal })),
  });

export const costsQuery = (scope: Scope, by: string) =>
  queryOptions({
    queryKey: ['costs', scope, by],
    queryFn: async ({ signal }) =>
      // The document also names text/csv, which is only sent where it is asked for.
      (await ask(
        api.GET('/api/costs', {
          params: { query: { project: scope.project, from: scope.from, to: scope.to, by } },
          signal,
        }),
      )) as Schemas['Costs'],
    placeholderData: (before) => before,
  });

export const accountsQuery = queryOptions({
  queryKey: ['accounts'],
  queryFn: ({ signal }) => ask(api.GET('/api/accounts', { signal })),
});

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => ask(api.GET('/api/health', { signal })),
  retry: false,
});

const list =
  <Key extends string, T>(key: Key, call: (project: string, signal: AbortSignal) => Promise<T>) =>
  (project: string) =>
    queryOptions({ queryKey: [key, project], queryFn: ({ signal }) => call(project, signal) });

export const routesQuery = list('routes', (project, signal) =>
  ask(api.GET('/api/routes', { params: { query: { project } }, signal })),
);

export const callableQuery = list('callable', (project, signal) =>
  ask(api.GET('/api/playground/models', { params: { query: { project } }, signal })),
);

export const modelsQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['models', scope],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/models', {
          params: { query: { project: scope.project, from: scope.from, to: scope.to } },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });

export const cardsQuery = list('cards', (project, signal) =>
  ask(api.GET('/api/cards', { params: { query: { project } }, signal })),
);

export const weightsQuery = list('weights', (project, signal) =>
  ask(api.GET('/api/weights', { params: { query: { project } }, signal })),
);

export const jobsQuery = list('jobs', (project, signal) =>
  ask(api.GET('/api/jobs', { params: { query: { project } }, signal })),
);

export const keysQuery = (project: string, revoked: boolean) =>
  queryOptions({
    queryKey: ['keys', project, revoked],
    queryFn: ({ signal }) => ask(api.GET('/api/keys', { params: { query: { project, revoked } }, signal })),
  });

export const budgetsQuery = list('budgets', (project, signal) =>
  ask(api.GET('/api/budgets', { params: { query: { project } }, signal })),
);

export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => ask(api.GET('/api/config', { signal })),
});

export const versionsQuery = infiniteQueryOptions({
  queryKey: ['config-versions'],
  queryFn: ({ signal, pageParam }) =>
    ask(
      api.GET('/api/config/versions', {
        params: { query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
        signal,
      }),
    ),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
});

export const versionQuery = (number: number) =>
  queryOptions({
    queryKey: ['config-version', number],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/config/versions/{number}', { params: { path: { number } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const auditQuery = (act: string) =>
  infiniteQueryOptions({
    queryKey: ['audit', act],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/audit', {
          params: { query: { limit: 100, act, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const chainQuery = queryOptions({
  queryKey: ['audit-chain'],
  queryFn: ({ signal }) => ask(api.GET('/api/audit/verify', { signal })),
});

export const approvalsQuery = list('approvals', (project, signal) =>
  ask(api.GET('/api/approvals', { params: { query: { project } }, signal })),
);
