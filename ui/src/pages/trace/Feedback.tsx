import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { useScope } from '../../app/scope';
import { When } from '../../parts/Value';
import classes from './Trace.module.css';

/** What was said of the trace, and a place to say more. */
export function Feedback({
  trace,
  span,
  feedback,
}: {
  trace: string;
  span: string;
  feedback: Schemas['FeedbackBody'][];
}) {
  const { project } = useScope();
  const cache = useQueryClient();
  const [comment, setComment] = useState('');
  const give = useMutation({
    mutationFn: (body: Pick<Schemas['FeedbackRequest'], 'kind' | 'value' | 'comment'>) =>
      ask(api.POST('/api/feedback', { params: { query: { project } }, body: { trace, span, ...body } })),
    onSuccess: () => {
      setComment('');
      return cache.invalidateQueries({ queryKey: ['trace', project, trace] });
    },
  });
  return (
    <div>
      {feedback.length === 0 && (
        <p className={classes.quiet}>Nobody has said anything about this trace yet.</p>
      )}
      {feedback.map((each) => (
        <div key={each.id} className={classes.event}>
          <b>{said(each)}</b> <span className="dim">{each.by_name || each.by} · </span>
          <span className="dim">
            <When ms={each.created_ms} />
          </span>
          {each.comment && <div className={classes.comment}>{each.comment}</div>}
        </div>
      ))}
      <form
        className={classes.give}
        onSubmit={(event) => {
          event.preventDefault();
          if (comment.trim()) give.mutate({ kind: 'comment', comment });
        }}
      >
        <Textarea
          label="Comment"
          autosize
          minRows={2}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <div className={classes.buttons}>
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Good answer"
            onClick={() => give.mutate({ kind: 'thumb', value: true, comment })}
          >
            <IconThumbUp size={15} stroke={1.6} />
          </ActionIcon>
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Bad answer"
            onClick={() => give.mutate({ kind: 'thumb', value: false, comment })}
          >
            <IconThumbDown size={15} stroke={1.6} />
          </ActionIcon>
          <Button type="submit" variant="default" disabled={!comment.trim()} loading={give.isPending}>
            Add the comment
          </Button>
        </div>
        {give.error && (
          <p className={classes.wrong} role="alert">
            {give.error.message}
          </p>
        )}
      </form>
    </div>
  );
}

function said(feedback: Schemas['FeedbackBody']): string {
  if (feedback.kind === 'thumb') return feedback.value ? '👍 good' : '👎 bad';
  if (feedback.kind === 'comment') return 'Comment';
  return `${feedback.name || feedback.kind}: ${String(feedback.value)}`;
}
