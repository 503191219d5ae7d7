/** Questions about datasets and the builds that made them. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask, type Sent } from './client';

export type Dataset = Answer<'/api/datasets'>['items'][number];
export type DatasetVersion = Answer<'/api/datasets/{name}/versions'>['items'][number];
export type Example = Answer<'/api/datasets/{name}/examples'>['items'][number];
export type ExampleDetail = Answer<'/api/datasets/{name}/examples/{id}'>;
export type Change = Answer<'/api/datasets/{name}/diff'>['items'][number];
export type Build = Answer<'/api/curation/builds'>['items'][number];
export type BuildEvent = Answer<'/api/curation/builds/{id}/events'>['items'][number];

export const datasetsQuery = (project: string, q: string) =>
  infiniteQueryOptions({
    queryKey: ['datasets', project, q],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/datasets', {
          params: { query: { project, q, limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    select: (data) => ({ items: data.pages.flatMap((page) => page.items) }),
  });

export const datasetQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['dataset', project, name],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/datasets/{name}', { params: { path: { name }, query: { project } }, signal })),
  });

export const datasetVersionsQuery = (project: string, name: string) =>
  infiniteQueryOptions({
    queryKey: ['dataset-versions', project, name],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/datasets/{name}/versions', {
          params: {
            path: { name },
            query: { project, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export interface Within {
  version: string;
  split: string;
  q: string;
  tag: string;
}

export const examplesQuery = (project: string, name: string, within: Within) =>
  infiniteQueryOptions({
    queryKey: ['examples', project, name, within],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/datasets/{name}/examples', {
          params: {
            path: { name },
            query: { project, ...within, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const exampleQuery = (project: string, name: string, id: string, version: string) =>
  queryOptions({
    queryKey: ['example', project, name, id, version],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/datasets/{name}/examples/{id}', {
          params: { path: { name, id }, query: { project, version } },
          signal,
        }),
      ),
  });

export const datasetDiffQuery = (project: string, name: string, from: number, to: number) =>
  infiniteQueryOptions({
    queryKey: ['dataset-diff', project, name, from, to],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/datasets/{name}/diff', {
          params: {
            path: { name },
            query: { project, from, to, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const stratifiedQuery = (project: string, name: string, version: string, by: string) =>
  queryOptions({
    queryKey: ['stratified', project, name, version, by],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/datasets/{name}/splits', {
          params: { path: { name }, query: { project, version, by } },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });

export const exportCheckQuery = (
  project: string,
  name: string,
  format: string,
  version: string,
  split: string,
) =>
  queryOptions({
    queryKey: ['export-check', project, name, format, version, split],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/datasets/{name}/export/check', {
          params: { path: { name }, query: { project, format: format as 'jsonl', version, split } },
          signal,
        }),
      ),
    retry: false,
  });

export const buildsQuery = (project: string, dataset: string) =>
  queryOptions({
    queryKey: ['builds', project, dataset],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/curation/builds', { params: { query: { project, dataset, limit: 50 } }, signal })),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((build) => build.state === 'queued' || build.state === 'running') ? 2_000 : false,
  });

export const buildEventsQuery = (project: string, id: string, step: number | null, reason: string) =>
  infiniteQueryOptions({
    queryKey: ['build-events', project, id, step, reason],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/curation/builds/{id}/events', {
          params: {
            path: { id },
            query: {
              project,
              reason,
              limit: 100,
              ...(step === null ? {} : { step }),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export type UndoSelection = Sent<'/api/curation/builds/{id}/undo'>;

/** How many drops and edits a selection has: a question, though it is asked by POST. */
export const undoCountQuery = (project: string, id: string, selection: UndoSelection) =>
  queryOptions({
    queryKey: ['undo-count', project, id, selection],
    queryFn: ({ signal }) =>
      ask(
        api.POST('/api/curation/builds/{id}/undo/count', {
          params: { path: { id }, query: { project } },
          body: selection,
          signal,
        }),
      ),
  });
