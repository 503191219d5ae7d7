/** Rail, top bar and the place where pages draw. */
import { ActionIcon, AppShell, Burger, Kbd, Menu, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconCheck, IconChevronDown, IconLogout, IconSearch } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, ask, setCsrf } from '../api/client';
import { sessionQuery } from '../api/queries';
import { TimeRange } from '../parts/TimeRange';
import { LiveDot } from './LiveDot';
import { Mark } from './Mark';
import { NAVIGATION } from './navigation';
import { OpenAlerts } from './OpenAlerts';
import classes from './Shell.module.css';
import { useScope, useSetSearch } from './scope';
import { useShortcuts } from './shortcuts';

const Palette = lazy(() => import('./Palette').then((found) => ({ default: found.Palette })));
const Keys = lazy(() => import('./KeyList').then((found) => ({ default: found.KeyList })));

/** Pages that the rail has under another's name. */
const WITHIN: Record<string, string> = { '/studies': '/evaluations', '/optimizations': '/prompts' };

const under = (path: string, to: string) =>
  path.startsWith(`${to}/`) ||
  Object.entries(WITHIN).some(([inner, outer]) => outer === to && path.startsWith(`${inner}/`));

/** Pages whose content depends on the range of time. */
const TIMED = ['/', '/traces', '/sessions', '/costs', '/monitor'];

export function Shell() {
  const [open, drawer] = useDisclosure(false);
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const path = useLocation({ select: (location) => location.pathname });
  const navigate = useNavigate();
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;

  useShortcuts([
    { keys: 'mod+k', label: 'Find anything by name or id', group: 'Everywhere', run: () => setPalette(true) },
    { keys: '?', label: 'List the keys', group: 'Everywhere', run: () => setKeys(true) },
    ...NAVIGATION.flatMap(({ pages }) =>
      pages.map((page) => ({
        keys: page.key,
        label: `Go to ${page.label}`,
        group: 'Pages',
        run: () => void navigate({ to: page.to }),
      })),
    ),
  ]);

  return (
    <AppShell
      header={{ height: 44 }}
      navbar={{ width: 184, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding={0}
      transitionDuration={120}
    >
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      <AppShell.Header className={classes.header}>
        <Burger
          opened={open}
          onClick={drawer.toggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={open ? 'Close the navigation' : 'Open the navigation'}
        />
        <Link to="/" className={classes.brand} aria-label="Noria: Pulse">
          <Mark size={22} />
          <span className={classes.word}>noria</span>
        </Link>
        <ProjectMenu />
        <div className={classes.space} />
        {(TIMED.includes(path) || path.startsWith('/monitor/')) && <TimeRange compact={narrow} />}
        {narrow ? (
          <ActionIcon variant="default" size={30} aria-label="Find" onClick={() => setPalette(true)}>
            <IconSearch size={16} stroke={1.6} />
          </ActionIcon>
        ) : (
          <UnstyledButton
            className={classes.find}
            onClick={() => setPalette(true)}
            aria-label="Find anything"
          >
            <IconSearch size={14} stroke={1.8} />
            <span>Find</span>
            <Kbd size="xs">⌘K</Kbd>
          </UnstyledButton>
        )}
        <LiveDot />
        <AccountMenu onKeys={() => setKeys(true)} />
      </AppShell.Header>
      <AppShell.Navbar className={classes.rail} aria-label="Pages">
        {NAVIGATION.map(({ group, pages }) => (
          <div key={group} className={classes.group}>
            <div className={classes.title}>{group}</div>
            {pages.map(({ to, label, icon: Icon, key }) => {
              const here = to === '/' ? path === '/' : path === to || under(path, to);
              return (
                <Tooltip key={to} label={<Kbd size="xs">{key}</Kbd>} position="right" openDelay={700}>
                  <Link
                    to={to}
                    className={classes.link}
                    onClick={drawer.close}
                    data-here={here || undefined}
                    aria-current={here ? 'page' : undefined}
                  >
                    <Icon size={16} stroke={1.7} />
                    {label}
                    {to === '/monitor' && <OpenAlerts />}
                  </Link>
                </Tooltip>
              );
            })}
          </div>
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
      <Suspense>
        {palette && <Palette close={() => setPalette(false)} />}
        {keys && <Keys close={() => setKeys(false)} />}
      </Suspense>
    </AppShell>
  );
}

function ProjectMenu() {
  const { project } = useScope();
  const { data } = useQuery(sessionQuery(project));
  const set = useSetSearch();
  const projects = data?.projects ?? [];
  if (projects.length < 2) return <span className={classes.project}>{project}</span>;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={classes.project} aria-label={`Project ${project}: change`}>
          {project} <IconChevronDown size={12} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.map((each) => (
          <Menu.Item
            key={each}
            rightSection={each === project ? <IconCheck size={14} /> : null}
            onClick={() => set({ project: each === 'default' ? null : each })}
          >
            {each}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function AccountMenu({ onKeys }: { onKeys: () => void }) {
  const { project } = useScope();
  const { data } = useQuery(sessionQuery(project));
  const cache = useQueryClient();
  const navigate = useNavigate();
  const who = data?.principal;
  if (!who) return null;
  const signOut = async () => {
    await ask(api.DELETE('/api/session'));
    setCsrf(null);
    cache.clear();
    await navigate({ to: '/sign-in', search: {} });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton className={classes.person} aria-label={`Account of ${who.name || who.email}`}>
          {(who.name || who.email || '?').slice(0, 1).toUpperCase()}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {who.name || who.email}
          <br />
          {data?.role ?? 'no role'} in {project}
        </Menu.Label>
        <Menu.Item component={Link} to="/settings" search={{ tab: 'appearance' } as never}>
          Appearance
        </Menu.Item>
        <Menu.Item onClick={onKeys} rightSection={<Kbd size="xs">?</Kbd>}>
          Keys
        </Menu.Item>
        {who.kind === 'account' && (
          <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => void signOut()}>
            Sign out
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>Noria {data?.version}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}
