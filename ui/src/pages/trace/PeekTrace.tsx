/** The peek panel: the trace that the URL's `peek` names, beside the list. */
import { Button } from '@mantine/core';
import { IconArrowUpRight } from '@tabler/icons-react';
import { Link, useSearch } from '@tanstack/react-router';
import { type RootSearch, useSetSearch } from '../../app/scope';
import { PeekPanel } from '../../parts/PeekPanel';
import { TraceView, useTab } from './TraceView';

export function PeekTrace() {
  const { peek, span } = useSearch({ strict: false }) as RootSearch;
  const set = useSetSearch();
  const [tab, setTab] = useTab();
  if (!peek) return null;
  return (
    <PeekPanel label="Trace" onClose={() => set({ peek: null, span: null })}>
      <TraceView
        id={peek}
        span={span ?? null}
        onSpan={(next) => set({ span: next }, { replace: true })}
        tab={tab}
        onTab={setTab}
        peek
        actions={() => (
          <Button
            component={Link}
            to="/traces/$id"
            params={{ id: peek } as never}
            search={(span ? { span } : {}) as never}
            variant="default"
            rightSection={<IconArrowUpRight size={14} stroke={1.6} />}
          >
            Open
          </Button>
        )}
      />
    </PeekPanel>
  );
}
