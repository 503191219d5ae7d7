/** Whether every process runs and serves what it should, and how much room there is. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { healthQuery } from '../../api/queries';
import { Failure } from '../../parts/Failure';
import { bytes, duration, percent } from '../../parts/format';
import { Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { Id } from '../../parts/Value';
import { Facts } from '../trace/Facts';
import classes from './Settings.module.css';

const STATE = {
  running: { tone: 'good', word: 'runs' },
  behind: { tone: 'warn', word: 'behind' },
  down: { tone: 'bad', word: 'down' },
} as const;

const SIZES: Record<keyof Schemas['Sizes'], string> = {
  spans: 'Spans',
  spool: 'Spool',
  database: 'Database',
  ledger: 'Ledger',
  stored: 'Stored responses',
  blobs: 'Blobs',
  logs: 'Logs',
};

export function Health() {
  const { data, error, refetch } = useQuery({ ...healthQuery, refetchInterval: 5_000 });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={240} m={16} />;
  const most = Math.max(1, ...Object.values(data.sizes));
  return (
    <div className={classes.health}>
      <Section
        title="State"
        aside={
          <Status
            tone={data.state === 'ok' ? 'good' : 'warn'}
            word={data.state === 'ok' ? 'All is well' : 'Needs attention'}
          />
        }
      >
        {data.problems.map((problem) => (
          <p key={problem} className={classes.problem}>
            {problem}
          </p>
        ))}
        <Facts
          facts={[
            ['Version', data.version],
            ['Schema', data.schema_version],
            [
              'Configuration',
              data.config_digest ? <Id key="digest" value={data.config_digest} short={16} /> : 'none',
            ],
            ['Up for', duration(data.uptime_s * 1000)],
            ['Spool lag', data.spool_lag_s === null ? 'cannot be told' : duration(data.spool_lag_s * 1000)],
            [
              'Disk free',
              `${bytes(data.disk_free)} of ${bytes(data.disk_total)} (${percent(data.disk_free / data.disk_total)})`,
            ],
          ]}
        />
      </Section>
      <Section title="Processes">
        {data.processes.map((process) => (
          <div key={process.name} className={classes.process}>
            <b>{process.name}</b>
            <Status {...STATE[process.state]} />
            <span className="num dim">{process.pid === null ? '' : `pid ${process.pid}`}</span>
            <span className="dim">{process.detail}</span>
          </div>
        ))}
      </Section>
      <Section title="On disk">
        {(Object.keys(SIZES) as (keyof Schemas['Sizes'])[]).map((name) => (
          <div key={name} className={classes.size}>
            <span>{SIZES[name]}</span>
            <span className={classes.sizeTrack}>
              <i style={{ width: `${(data.sizes[name] / most) * 100}%` }} />
            </span>
            <span className="num">{bytes(data.sizes[name])}</span>
          </div>
        ))}
      </Section>
    </div>
  );
}
