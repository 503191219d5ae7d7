/** Questions about judges. */
import { queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask } from './client';

export type Judge = Answer<'/api/judges'>['items'][number];
export type CalibrationRun = Answer<'/api/judges/{name}/calibrations'>['items'][number];
export type Calibration = NonNullable<CalibrationRun['measured']>;

export const judgesQuery = (project: string) =>
  queryOptions({
    queryKey: ['judges', project],
    queryFn: ({ signal }) => ask(api.GET('/api/judges', { params: { query: { project } }, signal })),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((judge) => judge.calibration?.state === 'running') ? 2_000 : false,
  });

export const judgeQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['judge', project, name],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/judges/{name}', { params: { path: { name }, query: { project } }, signal })),
    refetchInterval: ({ state: { data } }) => (data?.calibration?.state === 'running' ? 2_000 : false),
  });

export const calibrationsQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['calibrations', project, name],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/judges/{name}/calibrations', {
          params: { path: { name }, query: { project, limit: 100 } },
          signal,
        }),
      ),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((run) => run.state === 'running') ? 2_000 : false,
  });
