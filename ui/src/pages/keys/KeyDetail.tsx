import { Button, Modal, NativeSelect } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { quote } from '../../parts/filter';
import { count, exact, money } from '../../parts/format';
import { Id } from '../../parts/Value';
import { Facts } from '../trace/Facts';
import classes from './Keys.module.css';
import { KeyState, limitWords, USED } from './KeyTable';

type Key = Schemas['KeyBody'];

/** One key: all that is set, rotate, revoke. */
export function KeyDetail({ value, onToken }: { value: Key; onToken: (made: Schemas['NewKey']) => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const may = useRole();
  const [asking, setAsking] = useState<'rotate' | 'revoke' | null>(null);
  const [overlap, setOverlap] = useState('86400');
  const refresh = () => void cache.invalidateQueries({ queryKey: ['keys'] });
  const path = { id: value.id };
  const rotate = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/keys/{id}/rotate', {
          params: { path, query: { project } },
          body: { overlap_s: Number(overlap) },
        }),
      ),
    onSuccess: (made) => {
      setAsking(null);
      refresh();
      onToken(made);
    },
  });
  const revoke = useMutation({
    mutationFn: () => ask(api.POST('/api/keys/{id}/revoke', { params: { path, query: { project } } })),
    onSuccess: () => {
      setAsking(null);
      refresh();
    },
  });
  const fault = rotate.error ?? revoke.error;
  const wrong = fault && (
    <p className={classes.wrong} role="alert">
      {fault.message}
    </p>
  );
  return (
    <div className={classes.detail}>
      <h2>{value.name}</h2>
      <div className={classes.sub}>
        <Id value={value.id} />
        <KeyState state={value.state} />
      </div>
      <div className={classes.actions}>
        <Button
          component={Link}
          to="/traces"
          search={{ q: `key:${quote(value.id)}` } as never}
          variant="default"
        >
          Its traces
        </Button>
        {value.state !== 'revoked' && may('admin') && (
          <>
            <Button variant="default" onClick={() => setAsking('rotate')}>
              Rotate
            </Button>
            <Button variant="default" c="var(--n-bad)" onClick={() => setAsking('revoke')}>
              Revoke
            </Button>
          </>
        )}
      </div>
      <Facts
        facts={[
          [
            'Token',
            <span key="token" className="mono">
              {value.hint}
            </span>,
          ],
          ['Role', value.role],
          ['Team', value.team || null],
          ['User', value.user || null],
          ['May call', value.routes.includes('*') ? 'everything' : value.routes.join(', ') || 'nothing'],
          ['Limits', value.limits.map(limitWords).join(', ') || 'none'],
          ['Budgets', value.budgets.join(', ') || 'only those whose subject it matches'],
          [
            'Tags',
            Object.entries(value.tags)
              .map(([name, tag]) => `${name}=${tag}`)
              .join(', ') || null,
          ],
          ['Payloads kept', value.capture ?? 'as the route says'],
          ['Expires', value.expires_ms === null ? 'never' : exact(value.expires_ms).slice(0, 16)],
          ['Last used', USED[value.used]],
          ['Last 30 days', `${count(value.calls_30d)} calls, ${money(value.cost_30d)}`],
          ['Made', `${exact(value.created_ms).slice(0, 16)} by ${value.created_by}`],
          ['Rotated', value.rotated_ms === null ? null : exact(value.rotated_ms).slice(0, 16)],
          ['Revoked', value.revoked_ms === null ? null : exact(value.revoked_ms).slice(0, 16)],
        ]}
      />
      <Modal opened={asking === 'rotate'} onClose={() => setAsking(null)} title={`Rotate ${value.name}`}>
        <div className={classes.form}>
          <NativeSelect
            label="The old token goes on working for"
            data={[
              { value: '0', label: 'no time: it stops now' },
              { value: '3600', label: 'an hour' },
              { value: '86400', label: 'a day' },
              { value: '604800', label: 'a week' },
            ]}
            value={overlap}
            onChange={(event) => setOverlap(event.currentTarget.value)}
          />
          {wrong}
          <Button loading={rotate.isPending} onClick={() => rotate.mutate()}>
            Make a new token
          </Button>
        </div>
      </Modal>
      <Modal opened={asking === 'revoke'} onClose={() => setAsking(null)} title={`Revoke ${value.name}?`}>
        <div className={classes.form}>
          <p className={classes.words}>
            Every call with this key is refused within a second, for good: {count(value.calls_30d)} calls were
            made with it in the last 30 days. What was recorded of them stays.
          </p>
          {wrong}
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke {value.name}
          </Button>
        </div>
      </Modal>
    </div>
  );
}
