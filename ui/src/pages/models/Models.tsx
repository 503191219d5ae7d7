/** What can be called with what was measured of it, weights on this machine, and every card that Noria knows. */
import { Tabs } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useSetSearch } from '../../app/scope';
import { Page } from '../../parts/Page';
import { Explorations } from '../explore/Explorations';
import { Callable } from './Callable';
import { Cards } from './Cards';
import classes from './Models.module.css';
import { Weights } from './Weights';

const TABS = {
  callable: 'Callable',
  compare: 'Compare',
  weights: 'Local weights',
  cards: 'All cards',
} as const;
type Tab = keyof typeof TABS;

export function ModelsPage() {
  const search = useSearch({ strict: false }) as { tab?: string };
  const set = useSetSearch();
  const tab: Tab = search.tab && search.tab in TABS ? (search.tab as Tab) : 'callable';
  return (
    <Page title="Models" full>
      <Tabs
        value={tab}
        onChange={(next) =>
          set({ tab: next === 'callable' ? null : next, model: null, compare: null, new: null })
        }
        keepMounted={false}
        className={classes.tabs}
      >
        <Tabs.List px="sm">
          {Object.entries(TABS).map(([id, label]) => (
            <Tabs.Tab key={id} value={id} px="sm" py="sm">
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="callable" className={classes.panel}>
          <Callable />
        </Tabs.Panel>
        <Tabs.Panel value="compare" className={classes.panel}>
          <Explorations />
        </Tabs.Panel>
        <Tabs.Panel value="weights" className={classes.panel}>
          <Weights />
        </Tabs.Panel>
        <Tabs.Panel value="cards" className={classes.panel}>
          <Cards />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
