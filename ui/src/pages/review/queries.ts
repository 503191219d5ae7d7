/** Queries of review queues. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';

export type Queue = Schemas['QueueBody'];
export type Item = Schemas['ItemBody'];
export type Part = 'review' | 'adjudication';
export type State = Item['state'];

export const queuesQuery = (project: string) =>
  queryOptions({
    queryKey: ['queues', project],
    queryFn: ({ signal }) => ask(api.GET('/api/queues', { params: { query: { project } }, signal })),
  });

export const queueQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['queues', project, name],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/queues/{name}', { params: { path: { name }, query: { project } }, signal })),
  });

export const itemsQuery = (project: string, name: string, state: State | null, flagged: boolean) =>
  infiniteQueryOptions({
    queryKey: ['queues', project, name, 'items', state, flagged],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/queues/{name}/items', {
          params: {
            path: { name },
            query: {
              project,
              flagged,
              limit: 100,
              ...(state ? { state } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

export const itemQuery = (project: string, name: string, item: string) =>
  queryOptions({
    queryKey: ['queues', project, name, 'item', item],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/queues/{name}/items/{item}', {
          params: { path: { name, item }, query: { project } },
          signal,
        }),
      ),
  });

export const agreementQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['queues', project, name, 'agreement'],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/queues/{name}/agreement', { params: { path: { name }, query: { project } }, signal }),
      ),
  });

export const resultsQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['queues', project, name, 'results'],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/queues/{name}/results', { params: { path: { name }, query: { project } }, signal })),
  });

export const instrumentsQuery = queryOptions({
  queryKey: ['instruments'],
  queryFn: ({ signal }) => ask(api.GET('/api/queues/instruments', { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});
