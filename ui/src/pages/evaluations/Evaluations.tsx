/** Runs with what they measured, what noria.toml evaluates, the gates that releases must pass, and studies. */

import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useSearch } from '@tanstack/react-router';
import { useRole } from '../../app/role';
import { useSetSearch } from '../../app/scope';
import { Page } from '../../parts/Page';
import { PageTabs } from '../../parts/PageTabs';
import { Studies } from '../studies/Studies';
import { Configured } from './Configured';
import { Gates } from './Gates';
import { NewRunForm } from './NewRun';
import { Runs } from './Runs';

export function EvaluationsPage() {
  const search = useSearch({ strict: false }) as { new?: string };
  const set = useSetSearch();
  const may = useRole();
  return (
    <Page
      title="Evaluations"
      full
      aside={
        may('editor') && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => set({ new: '1' })}>
            New run
          </Button>
        )
      }
    >
      <PageTabs
        clear={['run']}
        tabs={[
          { id: 'runs', label: 'Runs', content: <Runs /> },
          { id: 'configured', label: 'Configured', content: <Configured /> },
          { id: 'gates', label: 'Gates', content: <Gates />, flows: true },
          { id: 'studies', label: 'Studies', content: <Studies /> },
        ]}
      />
      {search.new !== undefined && (
        <NewRunForm like={search.new === '1' ? null : search.new} onClose={() => set({ new: null })} />
      )}
    </Page>
  );
}
