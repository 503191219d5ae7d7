/** The catalog: every prompt with where its labels stand. */
import { Button, Pill, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { type Prompt, promptsQuery } from '../../api/prompts';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { When } from '../../parts/Value';
import { NewPrompt } from './NewPrompt';
import classes from './Prompts.module.css';

export function PromptsPage() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { q?: string; tag?: string; new?: string };
  const set = useSetSearch();
  const may = useRole();
  const navigate = useNavigate();
  const filter = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: '/', label: 'Find a prompt', group: 'Prompts', run: () => filter.current?.focus() }]);
  const query = useInfiniteQuery(promptsQuery(project, search.q ?? '', search.tag ?? ''));
  const rows = query.data?.items ?? [];
  const columns = useMemo(() => make((tag) => set({ tag })), [set]);
  return (
    <Page
      title="Prompts"
      full
      note={query.data && `${count(rows.length)}${query.hasNextPage ? '+' : ''}`}
      aside={
        <>
          {search.tag && (
            <Pill withRemoveButton onRemove={() => set({ tag: null })}>
              tag {search.tag}
            </Pill>
          )}
          <TextInput
            ref={filter}
            aria-label="Find a prompt"
            placeholder="Find by name or description"
            w={240}
            defaultValue={search.q ?? ''}
            onChange={(event) => set({ q: event.currentTarget.value || null }, { replace: true })}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          />
          {may('editor') && (
            <Button leftSection={<IconPlus size={14} />} onClick={() => set({ new: '1' })}>
              New prompt
            </Button>
          )}
        </>
      }
    >
      {query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DataTable
          label="Prompts"
          columns={columns}
          rows={rows}
          id={(prompt) => prompt.name}
          onOpen={(prompt) => void navigate({ to: '/prompts/$name', params: { name: prompt.name } })}
          loading={query.isPending || query.isFetchingNextPage}
          more={query.hasNextPage}
          onMore={() => void query.fetchNextPage()}
          height="100%"
          empty={
            search.q || search.tag ? (
              <Empty title="No prompt is like that" />
            ) : (
              <Empty title="There is no prompt yet" command="noria prompt push">
                A prompt is kept as versions that never change; labels such as production point to one of
                them. Write prompts/NAME.md and push it, or begin one here.
              </Empty>
            )
          }
        />
      )}
      {search.new !== undefined && <NewPrompt onClose={() => set({ new: null })} />}
    </Page>
  );
}

function make(onTag: (tag: string) => void): Column<Prompt>[] {
  return [
    {
      id: 'name',
      header: 'Prompt',
      width: 'minmax(130px, 1fr)',
      narrow: 'first',
      cell: (prompt) => <b className={classes.name}>{prompt.name}</b>,
      value: (prompt) => prompt.name,
    },
    {
      id: 'description',
      header: 'What it does',
      width: 'minmax(160px, 2.4fr)',
      cell: (prompt) => prompt.description || <span className="dim">not described</span>,
    },
    {
      id: 'labels',
      header: 'Labels',
      width: 'minmax(140px, 1.4fr)',
      narrow: 'second',
      cell: (prompt) => (
        <span className={classes.labels}>
          {prompt.labels.map((label) => (
            <span key={label.name} className={classes.label}>
              {label.name} <b className="num">{label.number}</b>
            </span>
          ))}
          {prompt.labels.length === 0 && <span className="dim">none</span>}
        </span>
      ),
    },
    {
      id: 'tags',
      header: 'Tags',
      width: 'minmax(110px, 1fr)',
      cell: (prompt) => (
        <span className={classes.labels}>
          {prompt.tags.map((tag) => (
            <button
              key={tag}
              type="button"
              className={classes.tag}
              onClick={(event) => {
                event.stopPropagation();
                onTag(tag);
              }}
            >
              {tag}
            </button>
          ))}
        </span>
      ),
    },
    {
      id: 'owners',
      header: 'Owners',
      width: 'minmax(70px, 0.7fr)',
      cell: (prompt) => <span className="dim">{prompt.owners.join(', ')}</span>,
    },
    {
      id: 'latest',
      header: 'Versions',
      width: '66px',
      end: true,
      cell: (prompt) => <span className="num">{prompt.latest}</span>,
      value: (prompt) => prompt.latest,
    },
    {
      id: 'when',
      header: 'Changed',
      width: '80px',
      end: true,
      cell: (prompt) => <When ms={prompt.updated_ms} />,
      value: (prompt) => prompt.updated_ms,
    },
  ];
}
