/** Questions about studies: searches for the parameters with which something is best. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask } from './client';

export type Study = Answer<'/api/studies'>['items'][number];
export type Trial = Answer<'/api/studies/{id}'>['trials'][number];

/** A parameter as the engine keeps it. */
export type Parameter =
  | { type: 'float' | 'int'; low: number; high: number; log?: boolean; step?: number | null }
  | { type: 'choice'; values: (string | number | boolean)[] };

/** Between two looks at what is under way. */
const BEAT_MS = 2_000;

export const underWay = (one: { state: string }) => one.state === 'queued' || one.state === 'running';

export const studiesQuery = (project: string, name: string) =>
  infiniteQueryOptions({
    queryKey: ['studies', project, name],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/studies', {
          params: { query: { project, name, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some((page) => page.items.some(underWay)) ? BEAT_MS : false,
  });

export const studyDefinitionsQuery = (project: string) =>
  queryOptions({
    queryKey: ['study-definitions', project],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/studies/definitions', { params: { query: { project } }, signal })),
  });

export const studyQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['study', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/studies/{id}', { params: { path: { id }, query: { project } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && underWay(data.study) ? BEAT_MS : false),
  });

/** `ended`: trials that have ended; more of them change the answer. */
export const importanceQuery = (project: string, id: string, ended: number) =>
  queryOptions({
    queryKey: ['importance', project, id, ended],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/studies/{id}/importance', { params: { path: { id }, query: { project } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
