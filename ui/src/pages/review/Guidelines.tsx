/** What reviewers are asked to keep in mind; administrators write it here. */
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import type { Queue } from './queries';
import classes from './Review.module.css';

export function Guidelines({ queue }: { queue: Queue }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const [draft, setDraft] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: (guidelines: string) =>
      ask(
        api.PATCH('/api/queues/{name}', {
          params: { path: { name: queue.name }, query: { project } },
          body: { guidelines },
        }),
      ),
    onSuccess: () => {
      setDraft(null);
      return cache.invalidateQueries({ queryKey: ['queues', project] });
    },
  });
  const write = (
    <Button variant="default" onClick={() => setDraft(queue.guidelines)}>
      Write guidelines
    </Button>
  );
  return (
    <div className={classes.guidelines}>
      {draft !== null ? (
        <>
          <Textarea
            label="Guidelines"
            autosize
            minRows={12}
            value={draft}
            onChange={(event) => setDraft(event.currentTarget.value)}
          />
          {save.error && (
            <p role="alert" className={classes.wrong}>
              {save.error.message}
            </p>
          )}
          <div className={classes.acts}>
            <Button loading={save.isPending} onClick={() => save.mutate(draft)}>
              Save
            </Button>
            <Button variant="default" onClick={() => setDraft(null)}>
              Cancel
            </Button>
          </div>
        </>
      ) : queue.guidelines ? (
        <>
          <div className={classes.text}>{queue.guidelines}</div>
          {may('admin') && queue.source === 'page' && <div className={classes.acts}>{write}</div>}
        </>
      ) : (
        <Empty title="No guidelines yet" action={may('admin') && queue.source === 'page' ? write : undefined}>
          Say what each answer means, with examples of hard cases: reviewers agree no better than the
          questions are clear.
        </Empty>
      )}
    </div>
  );
}
