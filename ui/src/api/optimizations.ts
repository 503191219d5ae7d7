/** Questions about optimizations: searches for better versions of prompts. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask, type Sent } from './client';
import { underWay } from './studies';

export type Optimization = Answer<'/api/optimizations'>['items'][number];
export type NewOptimization = Sent<'/api/optimizations'>;

const BEAT_MS = 2_000;

export const optimizationsQuery = (project: string, prompt: string) =>
  infiniteQueryOptions({
    queryKey: ['optimizations', project, prompt],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/optimizations', {
          params: { query: { project, prompt, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some((page) => page.items.some(underWay)) ? BEAT_MS : false,
  });

export const optimizationQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['optimization', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/optimizations/{id}', { params: { path: { id }, query: { project } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && underWay(data) ? BEAT_MS : false),
  });
