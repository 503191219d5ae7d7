/** The page of one trace. */
import { Button } from '@mantine/core';
import { IconArrowLeft, IconArrowsDiff, IconColumns2, IconDatabasePlus } from '@tabler/icons-react';
import { Link, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useRole } from '../../app/role';
import { useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { SaveExample } from '../../calls/SaveExample';
import { Compare } from './Compare';
import { conversation, words } from './conversation';
import { TABS, type Tab } from './SpanPanel';
import classes from './Trace.module.css';
import { TraceView } from './TraceView';

export function TracePage() {
  const { id } = useParams({ from: '/shell/traces/$id' });
  const search = useSearch({ strict: false }) as { span?: string; tab?: string; compare?: string };
  const set = useSetSearch();
  const router = useRouter();
  const may = useRole();
  const [saving, setSaving] = useState<{ span: string; answer: string } | null>(null);
  const tab = TABS.find((each) => each === search.tab) ?? 'conversation';
  useShortcuts([
    { keys: 'esc', label: 'Back to the list', group: 'Trace', run: () => router.history.back() },
  ]);
  return (
    <div className={classes.page}>
      <Link to="/traces" className={classes.back}>
        <IconArrowLeft size={14} /> Traces
      </Link>
      {search.compare !== undefined && <Compare id={id} other={search.compare} />}
      <TraceView
        id={id}
        span={search.span ?? null}
        onSpan={(span) => set({ span }, { replace: true })}
        tab={tab}
        onTab={(next: Tab) => set({ tab: next === 'conversation' ? null : next }, { replace: true })}
        actions={(trace) => (
          <>
            {trace.spans.some((span) => span.input) && (
              <Button
                component={Link}
                to="/playground"
                search={{ trace: id } as never}
                variant="default"
                leftSection={<IconColumns2 size={14} stroke={1.6} />}
              >
                Replay in Playground
              </Button>
            )}
            {may('editor') && trace.spans.some((span) => span.input) && (
              <Button
                variant="default"
                leftSection={<IconDatabasePlus size={14} stroke={1.6} />}
                onClick={() => {
                  const chosen = trace.spans.find((span) => span.id === search.span && span.input);
                  const root = trace.spans.find((span) => span.input);
                  setSaving({
                    span: chosen?.id ?? '',
                    answer: words(conversation((chosen ?? root)?.output, 'assistant')),
                  });
                }}
              >
                Save as example
              </Button>
            )}
            <Button
              variant="default"
              leftSection={<IconArrowsDiff size={14} stroke={1.6} />}
              onClick={() => set({ compare: search.compare === undefined ? ' ' : null })}
            >
              Compare
            </Button>
          </>
        )}
      />
      {saving && (
        <SaveExample
          of={{ trace: id, span: saving.span }}
          expected={saving.answer}
          onClose={() => setSaving(null)}
        />
      )}
    </div>
  );
}
