/** What noria.toml evaluates, with the newest run of each. */
import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { Answer } from '../../api/client';
import { definitionsQuery } from '../../api/evals';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { stateOf } from './quality';
import { MeasureCell } from './RunCells';

type Definition = Answer<'/api/evals/definitions'>['items'][number];

export function Configured() {
  const { project } = useScope();
  const set = useSetSearch();
  const may = useRole();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(definitionsQuery(project));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const columns: Column<Definition>[] = [
    {
      id: 'name',
      header: 'Evaluation',
      width: 'minmax(100px, 1fr)',
      narrow: 'first',
      cell: (one) => <b className={classes.name}>{one.name}</b>,
      value: (one) => one.name,
    },
    {
      id: 'target',
      header: 'What answers',
      width: 'minmax(140px, 2fr)',
      narrow: 'second',
      cell: (one) => one.target,
      value: (one) => one.target,
    },
    {
      id: 'dataset',
      header: 'Dataset',
      width: 'minmax(100px, 1fr)',
      cell: (one) => one.dataset,
      value: (one) => one.dataset,
    },
    {
      id: 'scorers',
      header: 'Scorers',
      width: 'minmax(120px, 1.4fr)',
      cell: (one) => one.scorers.join(', '),
    },
    {
      id: 'newest',
      header: 'Newest run',
      width: '270px',
      cell: (one) =>
        one.newest ? (
          <span className={classes.cell}>
            <Status {...stateOf(one.newest)} bare />
            <MeasureCell project={project} run={one.newest} metric="" named />
          </span>
        ) : (
          <span className="dim">none yet</span>
        ),
    },
    {
      id: 'when',
      header: 'When',
      width: '80px',
      end: true,
      cell: (one) => (one.newest ? <When ms={one.newest.created_ms} /> : <span className="dim">–</span>),
      value: (one) => one.newest?.created_ms ?? null,
    },
    {
      id: 'run',
      header: '',
      width: '64px',
      end: true,
      cell: (one) =>
        may('editor') ? (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconPlayerPlay size={12} stroke={1.6} />}
            aria-label={`Run ${one.name}`}
            onClick={(event) => {
              event.stopPropagation();
              set({ new: one.name });
            }}
          >
            Run
          </Button>
        ) : null,
    },
  ];
  return (
    <DataTable
      label="Evaluations"
      columns={columns}
      rows={data?.items ?? []}
      id={(one) => one.name}
      onOpen={(one) => void navigate({ to: '/evaluations', search: { name: one.name } as never })}
      loading={!data}
      height="100%"
      empty={
        <Empty title="noria.toml evaluates nothing yet">
          Write an evaluation there: [evals.NAME] with a target, a dataset and scorers. Or begin a run of its
          own with the button above.
        </Empty>
      }
    />
  );
}
