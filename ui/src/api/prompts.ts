/** Questions about prompts. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Answer, api, ask, type Made, type Sent } from './client';

export type Prompt = Answer<'/api/prompts'>['items'][number];
export type Label = Prompt['labels'][number];
export type PromptVersion = Answer<'/api/prompts/{name}/versions'>['items'][number];
export type Content = PromptVersion['content'];
export type NewContent = Sent<'/api/prompts/{name}/versions'>['content'];
export type Move = Answer<'/api/prompts/{name}/labels/{label}/history'>['items'][number];
export type Lint = Made<'/api/prompts/{name}/lint'>;
export type Rendered = Made<'/api/prompts/{name}/render'>;

export const promptsQuery = (project: string, search: string, tag = '') =>
  infiniteQueryOptions({
    queryKey: ['prompts', project, search, tag],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/prompts', {
          params: {
            query: { project, search, tag, limit: 200, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    select: (data) => ({ items: data.pages.flatMap((page) => page.items) }),
  });

export const promptQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: ['prompt', project, name],
    queryFn: ({ signal }) =>
      ask(api.GET('/api/prompts/{name}', { params: { path: { name }, query: { project } }, signal })),
  });

export const promptVersionsQuery = (project: string, name: string) =>
  infiniteQueryOptions({
    queryKey: ['prompt-versions', project, name],
    queryFn: ({ signal, pageParam }) =>
      ask(
        api.GET('/api/prompts/{name}/versions', {
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

export const promptVersionQuery = (project: string, name: string, at: string) =>
  queryOptions({
    queryKey: ['prompt-version', project, name, at],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/prompts/{name}/versions/{at}', {
          params: { path: { name, at }, query: { project } },
          signal,
        }),
      ),
  });

export const promptDiffQuery = (project: string, name: string, before: string, after: string) =>
  queryOptions({
    queryKey: ['prompt-diff', project, name, before, after],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/prompts/{name}/diff', {
          params: { path: { name }, query: { project, before, after } },
          signal,
        }),
      ),
  });

export const movesQuery = (project: string, name: string, label: string) =>
  queryOptions({
    queryKey: ['label-moves', project, name, label],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/prompts/{name}/labels/{label}/history', {
          params: { path: { name, label }, query: { project } },
          signal,
        }),
      ),
  });

export const labelGatesQuery = (project: string, name: string, label: string, to: string) =>
  queryOptions({
    queryKey: ['label-gates', project, name, label, to],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/prompts/{name}/labels/{label}/gates', {
          params: { path: { name, label }, query: { project, to } },
          signal,
        }),
      ),
    retry: false,
  });

/** Of a content that may be no version yet; both are questions, though they are asked by POST. */
export const lintQuery = (project: string, name: string, content: NewContent | null, at: string) =>
  queryOptions({
    queryKey: ['lint', project, name, content ?? at],
    queryFn: ({ signal }) =>
      ask(
        api.POST('/api/prompts/{name}/lint', {
          params: { path: { name }, query: { project } },
          body: { content, at, models: [] },
          signal,
        }),
      ),
    placeholderData: (before) => before,
    retry: false,
  });

export const renderQuery = (
  project: string,
  name: string,
  content: NewContent | null,
  at: string,
  variables: Record<string, unknown>,
) =>
  queryOptions({
    queryKey: ['render', project, name, content ?? at, variables],
    queryFn: ({ signal }) =>
      ask(
        api.POST('/api/prompts/{name}/render', {
          params: { path: { name }, query: { project } },
          body: { content, at, variables },
          signal,
        }),
      ),
    retry: false,
  });
