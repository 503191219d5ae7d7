import type { Schemas } from '../../api/client';
import type { Column } from '../../parts/DataTable';
import { duration } from '../../parts/format';
import { TraceStatus } from '../../parts/Status';
import { Money, Tokens, When } from '../../parts/Value';
import classes from './Traces.module.css';

type Trace = Schemas['TraceSummary'];

/** `longest` is what a full latency bar stands for. */
export function columns(longest: number): Column<Trace>[] {
  return [
    {
      id: 'status',
      header: '',
      width: '16px',
      cell: (row) => (
        <TraceStatus
          status={row.status}
          kind={row.error_kind}
          http={row.http_status}
          unconfirmed={row.unconfirmed}
          bare
        />
      ),
    },
    { id: 'time', header: 'Time', width: '76px', cell: (row) => <When ms={row.start_ms} /> },
    {
      id: 'input',
      header: 'Input',
      width: 'minmax(180px, 3fr)',
      narrow: 'first',
      cell: (row) => (
        <>
          <span className={classes.only}>
            <TraceStatus status={row.status} kind={row.error_kind} unconfirmed={row.unconfirmed} bare />
          </span>
          <span className={row.input ? 'ellipsis' : 'ellipsis dim'}>{row.input || row.name}</span>
        </>
      ),
    },
    {
      id: 'name',
      header: 'Name',
      width: 'minmax(90px, 1fr)',
      cell: (row) => <span className="dim">{row.name}</span>,
    },
    {
      id: 'latency',
      header: 'Latency',
      width: '150px',
      cell: (row) => (
        <span className={classes.latency}>
          <span className="num">{duration(row.duration_ms)}</span>
          <i>
            <b
              data-failed={row.status === 'error' || undefined}
              style={{ width: `${Math.max(1, (row.duration_ms / longest) * 100)}%` }}
            />
          </i>
        </span>
      ),
    },
    {
      id: 'tokens',
      header: 'Tokens',
      width: '104px',
      end: true,
      cell: (row) => <Tokens input={row.input_tokens} output={row.output_tokens} />,
    },
    {
      id: 'cost',
      header: 'Cost',
      width: '84px',
      end: true,
      cell: (row) =>
        row.cost === null && row.unknown_costs === 0 ? (
          <span className="dim">–</span>
        ) : (
          <Money value={row.cost} unknown={row.unknown_costs} />
        ),
    },
    {
      id: 'model',
      header: 'Model',
      width: 'minmax(100px, 1fr)',
      narrow: 'second',
      cell: (row) => (
        <>
          <span className="ellipsis">{row.model || <span className="dim">–</span>}</span>
          <span className={`num ${classes.only}`}>{duration(row.duration_ms)}</span>
          <span className={classes.only}>
            <When ms={row.start_ms} />
          </span>
        </>
      ),
    },
    {
      id: 'user',
      header: 'User',
      width: 'minmax(60px, 0.7fr)',
      cell: (row) => row.user || <span className="dim">–</span>,
    },
  ];
}
