/** Questions about monitors and alerts. */
import { queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask } from './client';

export type Monitor = Answer<'/api/monitors'>['items'][number];
export type Rule = Monitor['rules'][number];
export type Reading = NonNullable<Rule['reading']>;
export type State = Rule['state'];
export type Alert = Answer<'/api/alerts'>['items'][number];
export type MonitorEvent = Answer<'/api/monitors/{name}/events'>['items'][number];
export type Why = Answer<'/api/monitors/why/{trace}'>['items'][number];

/** Rules are read every ten seconds. */
const AGAIN = 10_000;

export const monitorsQuery = (project: string) =>
  queryOptions({
    queryKey: ['monitors', project],
    queryFn: ({ signal }) => ask(api.GET('/api/monitors', { params: { query: { project } }, signal })),
    refetchInterval: AGAIN,
  });

export const monitorQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['monitor', project, name],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/monitors/{name}', { params: { path: { name }, query: { project } }, signal })),
    refetchInterval: AGAIN,
  });

export const courseQuery = (
  scope: { project: string; from: string; to: string },
  name: string,
  rule: string,
  live: boolean,
) =>
  queryOptions({
    queryKey: ['course', scope, name, rule],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/monitors/{name}/series', {
          params: { path: { name }, query: { ...scope, rule } },
          signal,
        }),
      ),
    placeholderData: (before) => before,
    refetchInterval: live ? AGAIN : false,
  });

export const eventsQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['monitor-events', project, name],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/monitors/{name}/events', {
          params: { path: { name }, query: { project, limit: 100 } },
          signal,
        }),
      ),
    refetchInterval: AGAIN,
  });

export const alertsQuery = (project: string, state: 'open' | 'past', monitor = '') =>
  queryOptions({
    queryKey: ['alerts', project, state, monitor],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/alerts', { params: { query: { project, state, monitor, limit: 100 } }, signal })),
    refetchInterval: AGAIN,
  });

export const alertQuery = (project: string, id: string) =>
  queryOptions({
    queryKey: ['alert', project, id],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/alerts/{id}', { params: { path: { id }, query: { project } }, signal })),
    refetchInterval: AGAIN,
  });

export const whyQuery = (project: string, trace: string) =>
  queryOptions({
    queryKey: ['why', project, trace],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/monitors/why/{trace}', { params: { path: { trace }, query: { project } }, signal })),
    retry: false,
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((one) => one.cause === 'waiting') ? 2_000 : false,
  });
