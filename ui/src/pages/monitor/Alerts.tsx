/** Alerts, open or past; who looks after each and who was told. */
import { Button, Modal, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ask } from '../../api/client';
import { type Alert, alertQuery, alertsQuery } from '../../api/monitors';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { count, exact } from '../../parts/format';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Monitor.module.css';
import { Scroll } from './Scroll';
import { StateOf } from './StateOf';

interface Props {
  state: 'open' | 'past';
  /** Of one monitor alone. */
  monitor?: string;
}

export function Alerts({ state, monitor }: Props) {
  const { project } = useScope();
  const may = useRole();
  const [taken, setTaken] = useState<Alert | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const { data, error, refetch } = useQuery(alertsQuery(project, state, monitor));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const items = data?.items ?? [];
  if (items.length === 0) {
    return (
      <p className={classes.words}>{state === 'open' ? 'No alert is open.' : 'No alert has ended yet.'}</p>
    );
  }
  return (
    <Scroll label={state === 'open' ? 'Open alerts' : 'Past alerts'}>
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">State</th>
            {!monitor && <th scope="col">Monitor</th>}
            <th scope="col">Rule</th>
            <th scope="col" className={classes.wide}>
              Opened
            </th>
            {state === 'past' && <th scope="col">Ended</th>}
            <th scope="col" className={classes.wide}>
              Looked after by
            </th>
            <th scope="col">
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((alert) => (
            <tr key={alert.id}>
              <td>
                <StateOf state={state === 'open' ? alert.state : alert.worst} />
              </td>
              {!monitor && (
                <th scope="row">
                  <Link to="/monitor/$name" params={{ name: alert.monitor }} className={classes.link}>
                    {alert.monitor}
                  </Link>
                </th>
              )}
              <td>{alert.rule}</td>
              <td className={classes.wide}>
                <When ms={alert.opened_ms} />
              </td>
              {state === 'past' && (
                <td>
                  <When ms={alert.closed_ms} />
                </td>
              )}
              <td className={`dim ${classes.wide}`} title={alert.comment || undefined}>
                {alert.acknowledged_by ?? 'nobody'}
              </td>
              <td className={classes.acts}>
                {state === 'open' && may('editor') && alert.acknowledged_ms === null && (
                  <Button variant="default" size="compact-xs" onClick={() => setTaken(alert)}>
                    Acknowledge
                  </Button>
                )}
                <Button variant="subtle" size="compact-xs" onClick={() => setShown(alert.id)}>
                  Who was told
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {taken && <Acknowledge alert={taken} onClose={() => setTaken(null)} />}
      {shown && <Told id={shown} onClose={() => setShown(null)} />}
    </Scroll>
  );
}

function Acknowledge({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const [comment, setComment] = useState('');
  const act = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/alerts/{id}/acknowledge', {
          params: { path: { id: alert.id }, query: { project } },
          body: { comment },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['alerts', project] });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Look after ${alert.monitor}: ${alert.rule}`}>
      <form onSubmit={submit} className={classes.form}>
        <p className={classes.words}>Others see that you look after it. It stays open until all is well.</p>
        <Textarea
          label="What others should know"
          autosize
          minRows={2}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          data-autofocus
        />
        {act.error && (
          <p className={classes.wrong} role="alert">
            {act.error.message}
          </p>
        )}
        <Button type="submit" loading={act.isPending}>
          Acknowledge
        </Button>
      </form>
    </Modal>
  );
}

const SENT = { sent: 'good', waiting: 'none', failed: 'bad' } as const;

function Told({ id, onClose }: { id: string; onClose: () => void }) {
  const { project } = useScope();
  const { data, error } = useQuery(alertQuery(project, id));
  const { alert, deliveries } = data ?? {};
  return (
    <Modal opened onClose={onClose} title="Who was told" size="lg">
      {error && <Failure error={error} />}
      {alert?.comment && (
        <p className={classes.words}>
          {alert.acknowledged_by}: {alert.comment}
        </p>
      )}
      {deliveries?.length === 0 && (
        <p className={classes.words}>
          Nobody beside this page: the monitor names no channel under `notify`, or the rule was muted.
        </p>
      )}
      {deliveries && deliveries.length > 0 && (
        <table className={`small-table ${classes.table}`}>
          <thead>
            <tr>
              <th scope="col">Channel</th>
              <th scope="col">State</th>
              <th scope="col">Attempts</th>
              <th scope="col">When</th>
              <th scope="col">Problem</th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.channel}</th>
                <td>
                  <Status tone={SENT[one.state]} word={one.state} />
                </td>
                <td className="num">{count(one.attempts)}</td>
                <td className="num">
                  {one.ended_ms !== null
                    ? exact(one.ended_ms).slice(0, 19)
                    : one.next_ms !== null && `next ${exact(one.next_ms).slice(11, 19)}`}
                </td>
                <td className="dim">{one.problem}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Modal>
  );
}
