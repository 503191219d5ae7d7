/** Drops and edits of a build are taken back: how many it would be, what becomes of them, and the new version. */
import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ask } from '../../api/client';
import { type Build, undoCountQuery } from '../../api/datasets';
import { jobQuery } from '../../api/jobs';
import { useScope } from '../../app/scope';
import { count } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import classes from './Datasets.module.css';

/** Which events; `what` says it in words. */
export interface Taken {
  step: number;
  reason: string;
  examples: string[];
  what: string;
}

export function Undo({ build, taken, onClose }: { build: Build; taken: Taken; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const selection = { step: taken.step, reason: taken.reason, examples: taken.examples, kind: null };
  const counted = useQuery(undoCountQuery(project, build.id, selection));
  const [since, setSince] = useState(0);
  const undo = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/curation/builds/{id}/undo', {
          params: { path: { id: build.id }, query: { project } },
          body: selection,
        }),
      ),
    onMutate: () => setSince(Date.now()),
  });
  const job = useQuery(jobQuery(project, undo.data?.id ?? '')).data ?? undo.data;
  const state = job?.state;
  useEffect(() => {
    if (state !== 'done') return;
    for (const key of ['dataset', 'dataset-versions', 'datasets', 'examples'])
      void cache.invalidateQueries({ queryKey: [key] });
  }, [state, cache]);
  const drops = counted.data?.drop ?? 0;
  const edits = counted.data?.edit ?? 0;
  const said = [
    ...(drops > 0 ? [`${count(drops)} ${drops === 1 ? 'drop' : 'drops'}`] : []),
    ...(edits > 0 ? [`${count(edits)} ${edits === 1 ? 'edit' : 'edits'}`] : []),
  ].join(' and ');
  const fault = counted.error ?? undo.error;
  return (
    <Modal opened onClose={onClose} title={`Take back: ${taken.what}`}>
      <div className={classes.form}>
        {!job && (
          <>
            <p className={classes.words}>
              {counted.data
                ? said
                  ? `${said} of build ${build.id} would be taken back, in a new version of ${build.dataset}.`
                  : 'Nothing of this can be taken back.'
                : 'Counting …'}
            </p>
            <p className={classes.words}>
              An example goes on through the later steps, so that one that comes back is as clean as the
              others; comparisons with all others are not made again. This version stays as it is.
            </p>
          </>
        )}
        {(state === 'queued' || state === 'running') && (
          <Progress
            label="Examples"
            done={job?.done ?? null}
            total={job?.total ?? null}
            since={since}
            unit="examples"
            words={job?.message || 'waits for its turn'}
          />
        )}
        {state === 'done' && <p role="status">{job?.message || 'Done.'}</p>}
        {(state === 'failed' || state === 'cancelled') && (
          <p className={classes.wrong} role="alert">
            {job?.message || state}
          </p>
        )}
        {fault && (
          <p className={classes.wrong} role="alert">
            {fault.message}
          </p>
        )}
        {job ? (
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        ) : (
          <Button disabled={!said} loading={undo.isPending} onClick={() => undo.mutate()}>
            Take {said || 'it'} back
          </Button>
        )}
      </div>
    </Modal>
  );
}
