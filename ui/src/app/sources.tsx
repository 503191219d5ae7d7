/** What the palette finds beside pages: everything of the project that has a name or an id. */
import type { SpotlightActionData } from '@mantine/spotlight';
import {
  IconChartDots,
  IconChecklist,
  IconCpu,
  IconDatabase,
  IconFileText,
  IconKey,
  IconMessages,
  IconRoute,
  IconScale,
  IconSparkles,
  IconTargetArrow,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { datasetsQuery } from '../api/datasets';
import { definitionsQuery, runsQuery } from '../api/evals';
import { judgesQuery } from '../api/judges';
import { optimizationsQuery } from '../api/optimizations';
import { promptsQuery } from '../api/prompts';
import { keysQuery, modelsQuery, routesQuery, sessionsQuery } from '../api/queries';
import { studiesQuery } from '../api/studies';
import { datasetOf, targetOf } from '../pages/evaluations/quality';
import { queuesQuery } from '../pages/review/queries';
import { useScope } from './scope';

export type Group = { group: string; actions: SpotlightActionData[] };

type Items<T> = { items: T[] };

/** All that the first pages of lists hold; what is beyond them is found on its page. */
const flat = <T,>(data: { pages: Items<T>[] } | undefined): T[] =>
  data?.pages.flatMap((page) => page.items) ?? [];

export function usePaletteSources(): Group[] {
  const scope = useScope();
  const { project } = scope;
  const navigate = useNavigate();
  const week = { ...scope, from: '-7d', to: 'now' };
  const models = useQuery(modelsQuery(week)).data?.items ?? [];
  const routes = useQuery(routesQuery(project)).data?.items ?? [];
  const keys = useQuery(keysQuery(project, false)).data?.items ?? [];
  const prompts = useInfiniteQuery(promptsQuery(project, '')).data?.items ?? [];
  const datasets = useInfiniteQuery(datasetsQuery(project, '')).data?.items ?? [];
  const evaluations = useQuery(definitionsQuery(project)).data?.items ?? [];
  const runs = flat(useInfiniteQuery(runsQuery(project, '', '')).data);
  const judges = useQuery(judgesQuery(project)).data?.items ?? [];
  const queues = useQuery(queuesQuery(project)).data?.items ?? [];
  const studies = flat(useInfiniteQuery(studiesQuery(project, '')).data);
  const searches = flat(useInfiniteQuery(optimizationsQuery(project, '')).data);
  const sessions = flat(useInfiniteQuery(sessionsQuery(week)).data);
  const icon = (Icon: typeof IconCpu) => <Icon size={16} stroke={1.7} />;
  const go = (to: string, more: { params?: object; search?: object } = {}) => ({
    onClick: () =>
      void navigate({ to, params: more.params as never, search: (more.search ?? {}) as never } as never),
  });
  return [
    {
      group: 'Prompts',
      actions: prompts.map((prompt) => ({
        id: `prompt ${prompt.name}`,
        label: prompt.name,
        description: ['Prompt', ...prompt.labels.map((label) => label.name)].join(' · '),
        keywords: [...prompt.tags, prompt.description],
        leftSection: icon(IconFileText),
        ...go('/prompts/$name', { params: { name: prompt.name } }),
      })),
    },
    {
      group: 'Datasets',
      actions: datasets.map((one) => ({
        id: `dataset ${one.name}`,
        label: one.name,
        description: `Dataset, version ${one.latest}`,
        leftSection: icon(IconDatabase),
        ...go('/datasets/$name', { params: { name: one.name } }),
      })),
    },
    {
      group: 'Evaluations',
      actions: [
        ...evaluations.map((one) => ({
          id: `evaluation ${one.name}`,
          label: one.name,
          description: `Evaluation of ${one.target} on ${one.dataset}`,
          leftSection: icon(IconChartDots),
          ...go('/evaluations', { search: { name: one.name } }),
        })),
        ...runs.map((run) => ({
          id: run.id,
          label: `${run.name}: ${targetOf(run)}`,
          description: `Run on ${datasetOf(run)}, ${run.state}`,
          keywords: [run.id],
          leftSection: icon(IconChartDots),
          ...go('/evaluations/$id', { params: { id: run.id } }),
        })),
        ...studies.map((study) => ({
          id: study.id,
          label: study.name,
          description: `Study over ${Object.keys(study.parameters).join(', ')}, ${study.state}`,
          keywords: [study.id],
          leftSection: icon(IconTargetArrow),
          ...go('/studies/$id', { params: { id: study.id } }),
        })),
        ...searches.map((one) => ({
          id: one.id,
          label: `A better ${one.prompt}`,
          description: `Search from version ${one.version} by ${one.measure}, ${one.state}`,
          keywords: [one.id, 'optimization'],
          leftSection: icon(IconSparkles),
          ...go('/optimizations/$id', { params: { id: one.id } }),
        })),
      ],
    },
    {
      group: 'Judges and review',
      actions: [
        ...judges.map((judge) => ({
          id: `judge ${judge.name}`,
          label: judge.name,
          description: 'Judge',
          leftSection: icon(IconScale),
          ...go('/judges/$name', { params: { name: judge.name } }),
        })),
        ...queues.map((queue) => ({
          id: `queue ${queue.name}`,
          label: queue.name,
          description: 'Review queue',
          leftSection: icon(IconChecklist),
          ...go('/review/$name', { params: { name: queue.name } }),
        })),
      ],
    },
    {
      group: 'Models and routes',
      actions: [
        ...models.map((model) => ({
          id: `model ${model.id}`,
          label: model.id,
          description: model.card.name === model.id ? 'Model' : `Model, ${model.card.name}`,
          leftSection: icon(IconCpu),
          ...go('/models', { search: { model: model.id } }),
        })),
        ...routes
          .filter((route) => !route.implicit)
          .map((route) => ({
            id: `route ${route.name}`,
            label: route.name,
            description: 'Route: its traces',
            leftSection: icon(IconRoute),
            ...go('/traces', { search: { q: `route:${route.name}` } }),
          })),
      ],
    },
    {
      group: 'Sessions',
      actions: sessions.map((session) => ({
        id: `session ${session.id}`,
        label: session.id,
        description: 'Session of the last seven days',
        leftSection: icon(IconMessages),
        ...go('/sessions/$id', { params: { id: session.id } }),
      })),
    },
    {
      group: 'Keys',
      actions: keys.map((key) => ({
        id: key.id,
        label: key.name,
        description: `Key ${key.id}`,
        keywords: [key.id, key.hint],
        leftSection: icon(IconKey),
        ...go('/keys', { search: { key: key.id } }),
      })),
    },
  ];
}
