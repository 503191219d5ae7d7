/** Model files: in the cache on this machine, or to be pulled; a pull goes on when the page is left. */
import { ActionIcon, Button, Modal, Tooltip } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { jobsQuery, weightsQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { bytes, parameters } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Status } from '../../parts/Status';
import classes from './Models.module.css';

type Weights = Schemas['WeightsBody'];

const runs = (job: Schemas['JobBody']) => job.state === 'queued' || job.state === 'running';

export function Weights() {
  const { project } = useScope();
  const cache = useQueryClient();
  const list = useQuery(weightsQuery(project));
  const jobs = useQuery({
    ...jobsQuery(project),
    refetchInterval: ({ state }) => (state.data?.items.some(runs) ? 1_000 : 10_000),
  });
  const [removing, setRemoving] = useState<Weights | null>(null);
  const pulls = useMemo(
    () =>
      new Map(
        [...(jobs.data?.items ?? [])]
          .reverse()
          .filter((job) => job.kind === 'weights.pull')
          .map((job) => [job.subject, job]),
      ),
    [jobs.data],
  );
  const refresh = () => {
    void cache.invalidateQueries({ queryKey: ['jobs'] });
    void cache.invalidateQueries({ queryKey: ['weights'] });
  };
  // A pull that has just ended changes what is present.
  const running = [...pulls.values()].filter(runs).length;
  const before = useRef(running);
  useEffect(() => {
    if (running < before.current) void cache.invalidateQueries({ queryKey: ['weights'] });
    before.current = running;
  }, [running, cache]);
  const pull = useMutation({
    mutationFn: (name: string) =>
      ask(api.POST('/api/weights/{name}/pull', { params: { path: { name }, query: { project } } })),
    onSettled: refresh,
  });
  const cancel = useMutation({
    mutationFn: (id: string) =>
      ask(api.POST('/api/jobs/{id}/cancel', { params: { path: { id }, query: { project } } })),
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: (name: string) => ask(api.DELETE('/api/weights/{name}', { params: { path: { name } } })),
    onSuccess: () => setRemoving(null),
    onSettled: refresh,
  });

  if (list.error) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <div className={classes.weights}>
      {pull.error && (
        <p className={classes.wrong} role="alert">
          {pull.error.message}
        </p>
      )}
      {(list.data?.items ?? []).map((item) => {
        const job = pulls.get(item.name);
        const active = job && runs(job);
        return (
          <div key={item.name} className={classes.weight}>
            <div className={classes.weightName}>
              <b>{item.name}</b>
              <span className="dim ellipsis" title={item.source}>
                {[
                  item.card?.parameters ? parameters(item.card.parameters) : null,
                  bytes(item.size_bytes),
                  item.card?.licence?.name,
                  item.source,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </div>
            <div className={classes.weightState}>
              {active ? (
                <Progress
                  label={`Pulling ${item.name}`}
                  done={job.done}
                  total={job.total}
                  since={job.created_ms}
                  unit={job.unit}
                  words={job.message}
                  onStop={() => cancel.mutate(job.id)}
                />
              ) : (
                <>
                  {item.present ? (
                    <Status tone="good" word={item.served ? 'served by an engine' : 'on this machine'} />
                  ) : job?.state === 'failed' ? (
                    <Status tone="bad" word="the pull failed" hint={job.message} />
                  ) : (
                    <Status tone="none" word="not on this machine" />
                  )}
                  {item.present ? (
                    <Tooltip label="Remove from this machine">
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={28}
                        aria-label={`Remove ${item.name}`}
                        onClick={() => setRemoving(item)}
                      >
                        <IconTrash size={15} stroke={1.6} />
                      </ActionIcon>
                    </Tooltip>
                  ) : (
                    <Button
                      variant="default"
                      leftSection={<IconDownload size={14} stroke={1.6} />}
                      onClick={() => pull.mutate(item.name)}
                    >
                      {job?.state === 'failed' || job?.state === 'cancelled' ? 'Go on' : 'Pull'}
                    </Button>
                  )}
                </>
              )}
            </div>
          </div>
        );
      })}
      <Modal opened={removing !== null} onClose={() => setRemoving(null)} title={`Remove ${removing?.name}?`}>
        <p className={classes.words}>
          This deletes {bytes(removing?.size_bytes)} from this machine's cache
          {removing?.served ? '; the engine that serves it goes on until it is restarted' : ''}. It can be
          pulled again.
        </p>
        {remove.error && (
          <p className={classes.wrong} role="alert">
            {remove.error.message}
          </p>
        )}
        <div className={classes.cardActions}>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => removing && remove.mutate(removing.name)}
          >
            Remove
          </Button>
          <Button variant="default" onClick={() => setRemoving(null)}>
            Cancel
          </Button>
        </div>
      </Modal>
    </div>
  );
}
