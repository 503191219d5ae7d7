/** The installation: configuration and its history, accounts, audit, approvals, health, and this page's look. */
import { Tabs } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useSetSearch } from '../../app/scope';
import { Page } from '../../parts/Page';
import { Accounts } from './Accounts';
import { Appearance } from './Appearance';
import { Approvals } from './Approvals';
import { Audit } from './Audit';
import { Configuration } from './Configuration';
import { Erasure } from './Erasure';
import { Health } from './Health';
import classes from './Settings.module.css';

const TABS = {
  config: ['Configuration', Configuration],
  accounts: ['Accounts', Accounts],
  approvals: ['Approvals', Approvals],
  audit: ['Audit', Audit],
  health: ['Health', Health],
  erasure: ['Erasure', Erasure],
  appearance: ['Appearance', Appearance],
} as const;
type Tab = keyof typeof TABS;

export function SettingsPage() {
  const search = useSearch({ strict: false }) as { tab?: string };
  const set = useSetSearch();
  const tab: Tab = search.tab && search.tab in TABS ? (search.tab as Tab) : 'config';
  return (
    <Page title="Settings" full>
      <Tabs
        value={tab}
        onChange={(next) => set({ tab: next === 'config' ? null : next, version: null })}
        keepMounted={false}
        className={classes.tabs}
      >
        <Tabs.List px="sm" className={classes.list}>
          {Object.entries(TABS).map(([id, [label]]) => (
            <Tabs.Tab key={id} value={id} px="sm" py="sm">
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {Object.entries(TABS).map(([id, [, Part]]) => (
          <Tabs.Panel key={id} value={id} className={classes.panel}>
            <Part />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
