/** Searches for the best parameters: what noria.toml names, and every study, newest first. */
import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api, ask } from '../../api/client';
import { type Study, studiesQuery, studyDefinitionsQuery, underWay } from '../../api/studies';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, figure } from '../../parts/format';
import { Status } from '../../parts/Status';
import { Money, When } from '../../parts/Value';
import classes from './Studies.module.css';
import { TONES } from './space';

export function Studies() {
  const { project } = useScope();
  const may = useRole();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const definitions = useQuery(studyDefinitionsQuery(project));
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    studiesQuery(project, ''),
  );
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const begin = useMutation({
    mutationFn: (name: string) =>
      ask(api.POST('/api/studies', { params: { query: { project } }, body: { name } })),
    onSuccess: async (study) => {
      await cache.invalidateQueries({ queryKey: ['studies'] });
      await navigate({ to: '/studies/$id', params: { id: study.id } });
    },
  });
  const fault = error ?? definitions.error;
  if (fault) return <Failure error={fault} retry={() => void refetch()} />;
  const named = definitions.data?.items ?? [];
  return (
    <>
      {(named.length > 0 || rows.length > 0) && (
        <div className={classes.bar}>
          {named.length === 0 && (
            <span className="dim">noria.toml names no study now; these were made earlier.</span>
          )}
          {named.map((one) => (
            <Button
              key={one.name}
              variant="default"
              disabled={!may('editor') || (one.newest ? underWay(one.newest) : false)}
              loading={begin.isPending && begin.variables === one.name}
              leftSection={<IconPlayerPlay size={14} stroke={1.6} />}
              title={`${one.trials} trials over ${one.parameters.join(', ')}, by ${one.objective}`}
              onClick={() => begin.mutate(one.name)}
            >
              Run {one.name}
            </Button>
          ))}
          {begin.error && (
            <span className={classes.wrong} role="alert">
              {begin.error.message}
            </span>
          )}
        </div>
      )}
      <DataTable
        label="Studies"
        columns={COLUMNS}
        rows={rows}
        id={(study) => study.id}
        onOpen={(study) => void navigate({ to: '/studies/$id', params: { id: study.id } })}
        loading={!data || isFetchingNextPage}
        more={hasNextPage}
        onMore={() => void fetchNextPage()}
        height="100%"
        empty={
          <Empty
            title="Nothing has been searched yet"
            command={`noria study run ${named[0]?.name ?? 'NAME'}`}
          >
            A study tries sets of parameters, such as the prompt's version, the model and the temperature, and
            finds those with which an evaluation is best. [studies.NAME] in noria.toml says which parameters
            within which bounds.
          </Empty>
        }
      />
    </>
  );
}

const COLUMNS: Column<Study>[] = [
  {
    id: 'name',
    header: 'Study',
    width: 'minmax(100px, 1fr)',
    narrow: 'first',
    card: (study) => (
      <>
        <Status tone={TONES[study.state]} word={study.state} bare />
        <span className="ellipsis">{study.name}</span>
        <span className="num">{study.progress.value === null ? '–' : figure(study.progress.value)}</span>
      </>
    ),
    cell: (study) => <b className={classes.name}>{study.name}</b>,
    value: (study) => study.name,
  },
  {
    id: 'parameters',
    header: 'Over',
    width: 'minmax(160px, 2fr)',
    narrow: 'second',
    cell: (study) => Object.keys(study.parameters).join(', '),
  },
  {
    id: 'state',
    header: 'State',
    width: '110px',
    cell: (study) => (
      <Status tone={TONES[study.state]} word={study.state} hint={study.message || undefined} />
    ),
    value: (study) => study.state,
  },
  {
    id: 'trials',
    header: 'Trials',
    width: '96px',
    end: true,
    cell: (study) => {
      const { done, pruned, failed, total } = study.progress;
      return (
        <span className="num" title={`${done} whole, ${pruned} given up early, ${failed} failed`}>
          {count(done + pruned + failed)} <span className="dim">of {count(total || study.trials)}</span>
        </span>
      );
    },
    value: (study) => study.progress.done,
  },
  {
    id: 'best',
    header: 'Best',
    width: '120px',
    end: true,
    cell: (study) =>
      study.progress.value === null ? (
        <span className="dim">none yet</span>
      ) : (
        <span className="num">
          {figure(study.progress.value)} <span className="dim">trial {study.progress.best}</span>
        </span>
      ),
    value: (study) => study.progress.value,
  },
  {
    id: 'cost',
    header: 'Cost',
    width: '84px',
    end: true,
    cell: (study) => <Money value={study.progress.cost} unknown={study.progress.unknown} />,
    value: (study) => Number(study.progress.cost),
  },
  {
    id: 'when',
    header: 'When',
    width: '84px',
    end: true,
    cell: (study) => <When ms={study.created_ms} />,
    value: (study) => study.created_ms,
  },
];
