/** Who may call what, within which limits; and what has been spent of each budget. */
import { Tabs } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useSetSearch } from '../../app/scope';
import { Page } from '../../parts/Page';
import { Budgets } from './Budgets';
import classes from './Keys.module.css';
import { KeyTable } from './KeyTable';

export function KeysPage() {
  const search = useSearch({ strict: false }) as { tab?: string };
  const set = useSetSearch();
  const tab = search.tab === 'budgets' ? 'budgets' : 'keys';
  return (
    <Page title="Keys & budgets" full>
      <Tabs
        value={tab}
        onChange={(next) => set({ tab: next === 'keys' ? null : next, key: null })}
        keepMounted={false}
        className={classes.tabs}
      >
        <Tabs.List px="sm">
          <Tabs.Tab value="keys" px="sm" py="sm">
            Keys
          </Tabs.Tab>
          <Tabs.Tab value="budgets" px="sm" py="sm">
            Budgets
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="keys" className={classes.panel}>
          <KeyTable />
        </Tabs.Panel>
        <Tabs.Panel value="budgets" className={classes.panel}>
          <Budgets />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
