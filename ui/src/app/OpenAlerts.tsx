/** How many alerts are open, as a mark in the navigation; nothing where there is none. */
import { useQuery } from '@tanstack/react-query';
import { alertsQuery } from '../api/monitors';
import classes from './OpenAlerts.module.css';
import { useScope } from './scope';

/** Seconds; the page Monitor itself looks more often. */
const EVERY = 30_000;

export function OpenAlerts() {
  const { project } = useScope();
  const { data } = useQuery({ ...alertsQuery(project, 'open'), refetchInterval: EVERY });
  const open = data?.items.filter((alert) => alert.acknowledged_ms === null).length ?? 0;
  if (open === 0) return null;
  const more = data?.next ? '+' : '';
  return (
    <span className={classes.mark}>
      {open}
      {more}
      <span className="visually-hidden"> open alerts that nobody looks after</span>
    </span>
  );
}
