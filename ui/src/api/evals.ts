/** Questions about evaluations. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask, type Sent } from './client';

export type Run = Answer<'/api/evals/runs'>['items'][number];
export type Headline = Run['headlines'][number];
export type RunDetail = Answer<'/api/evals/runs/{id}'>;
export type Measure = RunDetail['metrics']['measures'][number];
export type Spent = NonNullable<RunDetail['metrics']['latency']>;
export type Comparison = Answer<'/api/evals/compare'>;
export type Compared = Comparison['scorers'][number];
export type Judged = Answer<'/api/evals/runs/{id}/examples'>['items'][number];
export type Given = Judged['answers'][number];
export type NewRun = Sent<'/api/evals/runs'>;

export const SHOWN = ['all', 'failed', 'wrong', 'worse', 'better', 'different'] as const;
export type Shown = (typeof SHOWN)[number];

export const live = (run: Pick<Run, 'state'>) => run.state === 'queued' || run.state === 'running';

/** Between two looks at what is under way. */
const BEAT_MS = 2_000;

export const runsQuery = (project: string, name: string, state: Run['state'] | '') =>
  infiniteQueryOptions({
    queryKey: ['runs', project, name, state],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/evals/runs', {
          params: {
            query: {
              project,
              name,
              limit: 100,
              ...(state ? { state } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some((page) => page.items.some(live)) ? BEAT_MS : false,
  });

export const runQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['run', project, id],
    // The client's own type of an answer loses pairs.
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/evals/runs/{id}', { params: { path: { id }, query: { project } }, signal }),
      ) as Promise<RunDetail>,
    // What a finished run has measured does not change.
    staleTime: ({ state: { data } }) => (data && !live(data.run) ? Number.POSITIVE_INFINITY : 0),
    refetchInterval: ({ state: { data } }) => (data && live(data.run) ? BEAT_MS : false),
  });

export interface Look {
  show: Shown;
  scorer: string;
  baseline: string;
  tag: string;
}

export const judgedQuery = (project: string, id: string, look: Look) =>
  infiniteQueryOptions({
    queryKey: ['judged', project, id, look],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/evals/runs/{id}/examples', {
          params: {
            path: { id },
            query: { project, ...look, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const slicesQuery = (project: string, id: string, scorer: string) =>
  queryOptions({
    queryKey: ['slices', project, id, scorer],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/evals/runs/{id}/slices', {
          params: { path: { id }, query: { project, scorer } },
          signal,
        }),
      ) as Promise<Answer<'/api/evals/runs/{id}/slices'>>,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const compareQuery = (project: string, candidate: string, baseline: string) =>
  queryOptions({
    queryKey: ['compare', project, candidate, baseline],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/evals/compare', { params: { query: { project, candidate, baseline } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const definitionsQuery = (project: string) =>
  queryOptions({
    queryKey: ['definitions', project],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/evals/definitions', { params: { query: { project } }, signal })),
  });

export const gatesQuery = (project: string) =>
  queryOptions({
    queryKey: ['gates', project],
    queryFn: ({ signal }) => ask(api.GET('/api/evals/gates', { params: { query: { project } }, signal })),
  });

/** A look at a gate now: a question, though it is asked by POST. */
export const checkedQuery = (project: string, name: string, run: string | null) =>
  queryOptions({
    queryKey: ['checked', project, name, run],
    queryFn: ({ signal }) =>
      ask(
        api.POST('/api/evals/gates/{name}/check', {
          params: { path: { name }, query: { project } },
          body: { run },
          signal,
        }),
      ),
    retry: false,
  });

export const scorersQuery = (project: string) =>
  queryOptions({
    queryKey: ['scorers', project],
    queryFn: ({ signal }) => ask(api.GET('/api/scorers', { params: { query: { project } }, signal })),
    staleTime: 60_000,
  });
