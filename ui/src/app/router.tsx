/** Addresses of the page. Every page is loaded when it is first opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  parseSearchWith,
  redirect,
  retainSearchParams,
  stringifySearchWith,
} from '@tanstack/react-router';
import { client, sessionQuery } from '../api/queries';
import { Failure } from '../parts/Failure';
import { Shell } from './Shell';
import { type RootSearch, rootSearch } from './scope';

const root = createRootRoute({
  validateSearch: rootSearch,
  search: { middlewares: [retainSearchParams<RootSearch>(['project', 'from', 'to'])] },
  component: Outlet,
  errorComponent: ({ error, reset }) => <Failure error={error} retry={reset} whole />,
  notFoundComponent: () => <Failure error={new Error('There is no such page.')} whole />,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>): { next?: string } =>
    typeof raw.next === 'string' && raw.next.startsWith('/') && !raw.next.startsWith('//')
      ? { next: raw.next }
      : {},
  component: lazyRouteComponent(() => import('../pages/sign-in/SignIn'), 'SignIn'),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: (raw: Record<string, unknown>): { token?: string } =>
    typeof raw.token === 'string' ? { token: raw.token } : {},
  component: lazyRouteComponent(() => import('../pages/sign-in/Setup'), 'Setup'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ location, search }) => {
    const state = await client.ensureQueryData(sessionQuery(search.project ?? 'default'));
    if (!state.principal) throw redirect({ to: '/sign-in', search: { next: location.href } });
  },
  component: Shell,
});

export interface TracesSearch {
  q?: string;
  sort?: 'newest' | 'oldest' | 'slowest' | 'costliest';
}

const SORTS = ['newest', 'oldest', 'slowest', 'costliest'] as const;

function tracesSearch(raw: Record<string, unknown>): TracesSearch {
  const sort = SORTS.find((each) => each === raw.sort);
  return {
    ...(typeof raw.q === 'string' && raw.q ? { q: raw.q } : {}),
    ...(sort && sort !== 'newest' ? { sort } : {}),
  };
}

const words =
  <Name extends string>(...names: Name[]) =>
  (raw: Record<string, unknown>): { [Key in Name]?: string } =>
    Object.fromEntries(
      names.filter((name) => typeof raw[name] === 'string').map((name) => [name, raw[name]]),
    ) as {
      [Key in Name]?: string;
    };

const page = { getParentRoute: () => shell };

const tree = root.addChildren([
  signIn,
  setup,
  shell.addChildren([
    createRoute({
      ...page,
      path: '/',
      validateSearch: words('q'),
      component: lazyRouteComponent(() => import('../pages/pulse/Pulse'), 'PulsePage'),
    }),
    createRoute({
      ...page,
      path: '/traces',
      validateSearch: tracesSearch,
      component: lazyRouteComponent(() => import('../pages/traces/Traces'), 'TracesPage'),
    }),
    createRoute({
      ...page,
      path: '/traces/$id',
      validateSearch: words('tab', 'compare'),
      component: lazyRouteComponent(() => import('../pages/trace/Trace'), 'TracePage'),
    }),
    createRoute({
      ...page,
      path: '/sessions',
      component: lazyRouteComponent(() => import('../pages/sessions/Sessions'), 'SessionsPage'),
    }),
    createRoute({
      ...page,
      path: '/sessions/$id',
      component: lazyRouteComponent(() => import('../pages/sessions/Session'), 'SessionPage'),
    }),
    createRoute({
      ...page,
      path: '/costs',
      validateSearch: words('by'),
      component: lazyRouteComponent(() => import('../pages/costs/Costs'), 'CostsPage'),
    }),
    createRoute({
      ...page,
      path: '/monitor',
      component: lazyRouteComponent(() => import('../pages/monitor/Monitors'), 'MonitorsPage'),
    }),
    createRoute({
      ...page,
      path: '/monitor/$name',
      validateSearch: words('rule'),
      component: lazyRouteComponent(() => import('../pages/monitor/Monitor'), 'MonitorPage'),
    }),
    createRoute({
      ...page,
      path: '/playground',
      validateSearch: words('trace', 'models', 'prompt', 'example'),
      component: lazyRouteComponent(() => import('../pages/playground/Playground'), 'PlaygroundPage'),
    }),
    createRoute({
      ...page,
      path: '/chat',
      validateSearch: words('id', 'model'),
      component: lazyRouteComponent(() => import('../pages/chat/Chat'), 'ChatPage'),
    }),
    createRoute({
      ...page,
      path: '/models',
      validateSearch: words('tab', 'find', 'compare', 'model', 'new'),
      component: lazyRouteComponent(() => import('../pages/models/Models'), 'ModelsPage'),
    }),
    createRoute({
      ...page,
      path: '/explorations/$id',
      component: lazyRouteComponent(() => import('../pages/explore/Exploration'), 'ExplorationPage'),
    }),
    createRoute({
      ...page,
      path: '/datasets',
      validateSearch: words('q', 'import'),
      component: lazyRouteComponent(() => import('../pages/datasets/Datasets'), 'DatasetsPage'),
    }),
    createRoute({
      ...page,
      path: '/datasets/$name',
      validateSearch: words(
        'tab',
        'version',
        'split',
        'q',
        'tag',
        'example',
        'by',
        'older',
        'newer',
        'build',
        'step',
        'reason',
        'import',
      ),
      component: lazyRouteComponent(() => import('../pages/datasets/Dataset'), 'DatasetPage'),
    }),
    createRoute({
      ...page,
      path: '/judges',
      component: lazyRouteComponent(() => import('../pages/judges/Judges'), 'JudgesPage'),
    }),
    createRoute({
      ...page,
      path: '/judges/$name',
      validateSearch: words('calibration'),
      component: lazyRouteComponent(() => import('../pages/judges/Judge'), 'JudgePage'),
    }),
    createRoute({
      ...page,
      path: '/prompts',
      validateSearch: words('q', 'tag', 'new'),
      component: lazyRouteComponent(() => import('../pages/prompts/Prompts'), 'PromptsPage'),
    }),
    createRoute({
      ...page,
      path: '/prompts/$name',
      validateSearch: words('tab', 'at', 'before', 'edit', 'label', 'optimize'),
      component: lazyRouteComponent(() => import('../pages/prompts/Prompt'), 'PromptPage'),
    }),
    createRoute({
      ...page,
      path: '/evaluations',
      validateSearch: words('tab', 'name', 'state', 'metric', 'pick', 'run', 'new', 'trials'),
      component: lazyRouteComponent(() => import('../pages/evaluations/Evaluations'), 'EvaluationsPage'),
    }),
    createRoute({
      ...page,
      path: '/evaluations/compare',
      validateSearch: words('base', 'with', 'scorer', 'candidate'),
      component: lazyRouteComponent(() => import('../pages/evaluations/Compare'), 'ComparePage'),
    }),
    createRoute({
      ...page,
      path: '/evaluations/$id',
      validateSearch: words('tab', 'show', 'scorer', 'baseline', 'tag', 'example', 'new'),
      component: lazyRouteComponent(() => import('../pages/evaluations/Run'), 'RunPage'),
    }),
    createRoute({
      ...page,
      path: '/optimizations/$id',
      component: lazyRouteComponent(() => import('../pages/optimizations/Optimization'), 'OptimizationPage'),
    }),
    createRoute({
      ...page,
      path: '/studies/$id',
      validateSearch: words('tab', 'trial'),
      component: lazyRouteComponent(() => import('../pages/studies/Study'), 'StudyPage'),
    }),
    createRoute({
      ...page,
      path: '/keys',
      validateSearch: words('tab', 'key'),
      component: lazyRouteComponent(() => import('../pages/keys/Keys'), 'KeysPage'),
    }),
    createRoute({
      ...page,
      path: '/review',
      component: lazyRouteComponent(() => import('../pages/review/Review'), 'ReviewPage'),
    }),
    createRoute({
      ...page,
      path: '/review/$name',
      validateSearch: words('tab', 'state', 'item'),
      component: lazyRouteComponent(() => import('../pages/review/Queue'), 'QueuePage'),
    }),
    createRoute({
      ...page,
      path: '/settings',
      validateSearch: words('tab', 'version'),
      component: lazyRouteComponent(() => import('../pages/settings/Settings'), 'SettingsPage'),
    }),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  scrollRestoration: true,
  // Every word of the URL is text: ids that look like numbers stay as they are written.
  parseSearch: parseSearchWith((value) => value),
  stringifySearch: stringifySearchWith(String),
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
