/** The tabs of a page that fills the window; which one is open stands in the URL under `tab`. */
import { Tabs } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSetSearch } from '../app/scope';
import classes from './PageTabs.module.css';

export interface PageTab {
  id: string;
  label: ReactNode;
  content: ReactNode;
  /** Scrolls as a whole; without it the content scrolls inside. */
  flows?: boolean;
}

export function PageTabs({ tabs, clear = [] }: { tabs: readonly PageTab[]; clear?: readonly string[] }) {
  const search = useSearch({ strict: false }) as { tab?: string };
  const set = useSetSearch();
  const first = tabs[0]?.id ?? '';
  const value = tabs.some((tab) => tab.id === search.tab) ? (search.tab ?? first) : first;
  return (
    <Tabs
      value={value}
      onChange={(next) =>
        set({ ...Object.fromEntries(clear.map((name) => [name, null])), tab: next === first ? null : next })
      }
      keepMounted={false}
      className={classes.tabs}
    >
      <Tabs.List px="sm" className={classes.list}>
        {tabs.map(({ id, label }) => (
          <Tabs.Tab key={id} value={id} px="sm" py="sm">
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ id, content, flows }) => (
        <Tabs.Panel
          key={id}
          value={id}
          className={classes.panel}
          data-flows={flows || undefined}
          tabIndex={flows ? 0 : undefined}
        >
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
