/** One long job, followed until it ends. */
import { queryOptions } from '@tanstack/react-query';
import { api, ask } from './client';

const BEAT_MS = 1_500;

export const jobQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['job', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/jobs/{id}', { params: { path: { id }, query: { project } }, signal })),
    enabled: id !== '',
    refetchInterval: ({ state: { data } }) =>
      data && (data.state === 'queued' || data.state === 'running') ? BEAT_MS : false,
  });
