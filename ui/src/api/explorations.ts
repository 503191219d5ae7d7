/** Questions about explorations of a task, and comparisons of models. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask, type Sent } from './client';

export type Exploration = Answer<'/api/explorations'>['items'][number];
export type Findings = Answer<'/api/explorations/{id}/findings'>;
export type Way = Findings['findings'][number];
export type Candidate = Findings['candidates'][number];
export type NewComparison = Sent<'/api/explorations/comparisons'>;
export type NewExploration = Sent<'/api/explorations'>;

/** Between two looks at what is under way. */
const BEAT_MS = 2_000;

export const goesOn = (one: Pick<Exploration, 'state'>) => one.state === 'queued' || one.state === 'running';

export const explorationsQuery = (project: string) =>
  infiniteQueryOptions({
    queryKey: ['explorations', project],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/explorations', {
          params: { query: { project, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some((page) => page.items.some(goesOn)) ? BEAT_MS : false,
  });

export const findingsQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['findings', project, id],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/explorations/{id}/findings', { params: { path: { id }, query: { project } }, signal }),
      ),
    refetchInterval: ({ state: { data } }) => (data && goesOn(data.exploration) ? BEAT_MS : false),
  });

/** The page that stands alone. */
export const reportAddress = (project: string, id: string) =>
  `/api/explorations/${encodeURIComponent(id)}/report?project=${encodeURIComponent(project)}&form=html`;
