/** Judges, how far each can be believed, and which of them may decide. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type Judge, judgesQuery } from '../../api/judges';
import { useScope } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Estimate } from '../../parts/Estimate';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { When } from '../../parts/Value';
import classes from './Judges.module.css';
import { Stand } from './Stand';

export const AGREEMENT = [-1, 1] as const;

const COLUMNS: Column<Judge>[] = [
  {
    id: 'name',
    header: 'Judge',
    width: 'minmax(100px, 1fr)',
    narrow: 'first',
    card: (judge) => (
      <>
        <span>{judge.name}</span>
        <Stand judge={judge} />
      </>
    ),
    cell: (judge) => <b className={classes.name}>{judge.name}</b>,
    value: (judge) => judge.name,
  },
  {
    id: 'criterion',
    header: 'Judges',
    width: 'minmax(150px, 2fr)',
    cell: (judge) => String(judge.arguments.criterion ?? judge.type.replace('judge.', '').replace(/_/g, ' ')),
  },
  {
    id: 'model',
    header: 'Model',
    width: 'minmax(100px, 1fr)',
    cell: (judge) => String(judge.arguments.model ?? ''),
    value: (judge) => String(judge.arguments.model ?? ''),
  },
  {
    id: 'kappa',
    header: 'κ with people',
    width: '176px',
    narrow: 'second',
    cell: (judge) => <Estimate of={judge.calibration?.measured?.kappa} domain={AGREEMENT} noun="answers" />,
    value: (judge) => judge.calibration?.measured?.kappa?.estimate ?? null,
  },
  {
    id: 'alpha',
    header: 'α',
    width: '176px',
    cell: (judge) => <Estimate of={judge.calibration?.measured?.alpha} domain={AGREEMENT} noun="answers" />,
    value: (judge) => judge.calibration?.measured?.alpha?.estimate ?? null,
  },
  {
    id: 'n',
    header: 'Labels',
    width: '60px',
    end: true,
    cell: (judge) => <span className="num">{count(judge.calibration?.measured?.n)}</span>,
  },
  {
    id: 'gate',
    header: 'May decide',
    width: '160px',
    cell: (judge) => <Stand judge={judge} />,
    value: (judge) => judge.gate.verdict,
  },
  {
    id: 'when',
    header: 'Calibrated',
    width: '90px',
    end: true,
    cell: (judge) => <When ms={judge.calibration?.created_ms} />,
    value: (judge) => judge.calibration?.created_ms ?? null,
  },
];

export function JudgesPage() {
  const { project } = useScope();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(judgesQuery(project));
  return (
    <Page title="Judges" full>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        <DataTable
          label="Judges"
          columns={COLUMNS}
          rows={data?.items ?? []}
          id={(judge) => judge.name}
          onOpen={(judge) => void navigate({ to: '/judges/$name', params: { name: judge.name } })}
          loading={!data}
          height="100%"
          empty={
            <Empty title="No judge is configured">
              A judge is a model that scores answers by a criterion. Write [judges.NAME] in noria.toml with a
              model, a criterion and the bar that it must reach.
            </Empty>
          }
        />
      )}
    </Page>
  );
}
