/** Acts that wait for somebody else to agree. */
import { Button, Skeleton, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { approvalsQuery, sessionQuery } from '../../api/queries';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { Status, type Tone } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Settings.module.css';

type Approval = Schemas['ApprovalBody'];

const TONE: Record<Approval['state'], Tone> = {
  open: 'warn',
  approved: 'good',
  rejected: 'bad',
  expired: 'none',
  withdrawn: 'none',
};

export function Approvals() {
  const { project } = useScope();
  const { data, error, refetch } = useQuery({ ...approvalsQuery(project), refetchInterval: 15_000 });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={160} m={16} />;
  if (data.items.length === 0) {
    return (
      <Empty
        title="Nothing waits for approval"
        command="noria approval ask config.apply DIGEST --reason 'new model'"
      >
        Ask here before an act that needs a second pair of eyes; an administrator agrees or refuses.
      </Empty>
    );
  }
  return (
    <div className={classes.approvals}>
      {data.items.map((approval) => (
        <One key={approval.id} approval={approval} />
      ))}
    </div>
  );
}

function One({ approval }: { approval: Approval }) {
  const { project } = useScope();
  const session = useQuery(sessionQuery(project));
  const cache = useQueryClient();
  const may = useRole();
  const [comment, setComment] = useState('');
  const decide = useMutation({
    mutationFn: (decision: 'approve' | 'reject' | 'withdraw') =>
      ask(
        api.POST('/api/approvals/{id}/decide', {
          params: { path: { id: approval.id }, query: { project } },
          body: { decision, comment },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['approvals'] }),
  });
  const mine = session.data?.principal?.id === approval.asked_by;
  return (
    <section className={classes.approval} aria-label={`${approval.act} on ${approval.subject}`}>
      <header>
        <Status tone={TONE[approval.state]} word={approval.state} />
        <b className="mono">{approval.act}</b>
        <span className="ellipsis">{approval.subject}</span>
        <span className={classes.when}>
          asked by {approval.asked_by_name || approval.asked_by} <When ms={approval.created_ms} />
          {approval.state === 'open' && (
            <>
              , expires <When ms={approval.expires_ms} />
            </>
          )}
        </span>
      </header>
      {approval.reason && <p className={classes.words}>{approval.reason}</p>}
      {approval.decided_by && (
        <p className={classes.words}>
          {approval.decided_by_name || approval.decided_by} <When ms={approval.decided_ms} />
          {approval.comment ? `: ${approval.comment}` : ''}
        </p>
      )}
      {approval.state === 'open' && (mine || may('admin')) && (
        <div className={classes.decide}>
          <TextInput
            aria-label="Comment"
            placeholder="Comment"
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          {mine ? (
            <Button variant="default" loading={decide.isPending} onClick={() => decide.mutate('withdraw')}>
              Withdraw
            </Button>
          ) : (
            <>
              <Button loading={decide.isPending} onClick={() => decide.mutate('approve')}>
                Approve
              </Button>
              <Button variant="default" c="var(--n-bad)" onClick={() => decide.mutate('reject')}>
                Reject
              </Button>
            </>
          )}
        </div>
      )}
      {decide.error && (
        <p className={classes.wrong} role="alert">
          {decide.error.message}
        </p>
      )}
    </section>
  );
}
