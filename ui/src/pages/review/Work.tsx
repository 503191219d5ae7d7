/** One item after the other: look, answer by keys, go on. The server holds the turn meanwhile. */
import { Button, Modal, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, api, ask, type Schemas } from '../../api/client';
import { useScope } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Form } from './Form';
import { type Answers, missing, sent } from './form';
import { ItemView } from './ItemView';
import type { Item, Part, Queue } from './queries';
import classes from './Review.module.css';
import { Said } from './Said';

type Turn = Schemas['QueueTurn'];
type Reason = 'skip' | 'flag';

export function Work({ queue, part }: { queue: Queue; part: Part }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const [turn, setTurn] = useState<Turn | null>(null);
  const [answers, setAnswers] = useState<Answers>({});
  const [asking, setAsking] = useState<Reason | null>(null);
  const [told, setTold] = useState('');
  const last = useRef<{ item: string; answers: Answers } | null>(null);
  const [undoable, setUndoable] = useState(false);
  const item = turn?.item ?? null;
  const path = useCallback(
    (id: string) => ({ path: { name: queue.name, item: id }, query: { project } }),
    [queue.name, project],
  );

  const next = useMutation<Turn, ApiError, { answers?: Answers; told?: string }>({
    mutationFn: () =>
      ask(
        api.POST('/api/queues/{name}/next', {
          params: { path: { name: queue.name }, query: { project } },
          body: { part },
        }),
      ),
    onSuccess: (found, { answers, told }) => {
      setTurn(found);
      setAnswers(answers ?? {});
      setTold(told ?? '');
      void cache.invalidateQueries({ queryKey: ['queues', project] });
    },
  });
  const take = next.mutate;
  useEffect(() => take({}), [take]);

  const answer = useMutation<Item, ApiError, { id: string; answers: Answers }>({
    mutationFn: ({ id, answers }) => {
      const call = { params: path(id), body: { answers: sent(answers) } };
      return ask(
        part === 'review'
          ? api.POST('/api/queues/{name}/items/{item}/answer', call)
          : api.POST('/api/queues/{name}/items/{item}/adjudicate', call),
      );
    },
    onSuccess: (done, given) => {
      last.current = { item: given.id, answers: given.answers };
      setUndoable(part === 'review');
      take({ told: `Item ${done.number} is answered.` });
    },
  });
  const undo = useMutation<Item, ApiError, { item: string; answers: Answers }>({
    mutationFn: async (before) => {
      // One's turn at the present item goes back first: the server gives out one turn at a time.
      if (item)
        await ask(
          api.POST('/api/queues/{name}/items/{item}/release', { params: path(item.id), body: { part } }),
        );
      return ask(api.POST('/api/queues/{name}/items/{item}/withdraw', { params: path(before.item) }));
    },
    onSuccess: (done, before) => {
      last.current = null;
      setUndoable(false);
      take({ answers: before.answers, told: `The answer to item ${done.number} is taken back.` });
    },
    onError: () => take({}),
  });
  const reasoned = useMutation<Item, ApiError, { kind: Reason; reason: string }>({
    mutationFn: ({ kind, reason }) => {
      const call = { params: path(item?.id ?? ''), body: { reason } };
      return ask(
        kind === 'skip'
          ? api.POST('/api/queues/{name}/items/{item}/skip', call)
          : api.POST('/api/queues/{name}/items/{item}/flag', call),
      );
    },
    onSuccess: (done, { kind }) => {
      setAsking(null);
      if (kind === 'skip') take({ told: `Item ${done.number} is left to others.` });
      else setTold(`Item ${done.number} is flagged.`);
    },
  });

  const form =
    part === 'review' || !item
      ? queue.form
      : queue.form.map((question) => ({ ...question, required: item.disputed.includes(question.name) }));
  const open = item ? missing(form, answers) : [];
  const busy = answer.isPending || undo.isPending || next.isPending;
  const submit = () => {
    if (busy) return;
    if (item && open.length === 0) answer.mutate({ id: item.id, answers });
    else if (open.length > 0) setTold(`Still to be answered: ${open.join(', ')}.`);
  };
  const undoLast = () => {
    if (last.current && undoable && !busy) undo.mutate(last.current);
  };
  const group = part === 'review' ? 'Review' : 'Decide';
  useShortcuts([
    { keys: 'enter', label: 'Send the answer', group, run: submit },
    { keys: 'mod+enter', label: 'Send it from a text', group, run: submit },
    ...(part === 'review'
      ? [
          { keys: 's', label: 'Skip, with a reason', group, run: () => item && setAsking('skip') },
          { keys: 'u', label: 'Take the last answer back', group, run: undoLast },
        ]
      : []),
    { keys: 'f', label: 'Flag for an administrator', group, run: () => item && setAsking('flag') },
  ]);

  if (next.error && !turn) return <Failure error={next.error} retry={() => take({})} />;
  if (!turn) return <output className={classes.waiting}>Taking a turn…</output>;
  const wrong = answer.error ?? undo.error ?? next.error;
  return (
    <>
      <div className={classes.status}>
        <output aria-live="polite">{told}</output>
        <span className="num dim">{count(turn.left)} left for you</span>
        {undoable && (
          <Button variant="subtle" size="compact-xs" loading={undo.isPending} onClick={undoLast}>
            Undo (u)
          </Button>
        )}
      </div>
      {wrong && (
        <p role="alert" className={classes.wrong}>
          {wrong.message}
        </p>
      )}
      {item ? (
        <div className={classes.work}>
          <div className={classes.item}>
            <ItemView item={item} />
            {part === 'adjudication' && <Said queue={queue} item={item} anonymous />}
          </div>
          <aside className={classes.side} aria-label="Form">
            <Form
              key={item.id}
              form={form}
              answers={answers}
              onChange={setAnswers}
              disputed={item.disputed}
            />
            <div className={classes.acts}>
              <Button
                onClick={submit}
                loading={answer.isPending || next.isPending}
                disabled={open.length > 0}
              >
                {part === 'review' ? 'Send (↵)' : 'Decide (↵)'}
              </Button>
              {part === 'review' && (
                <Button variant="default" onClick={() => setAsking('skip')}>
                  Skip (s)
                </Button>
              )}
              <Button variant="subtle" color="gray" onClick={() => setAsking('flag')}>
                Flag (f)
              </Button>
            </div>
          </aside>
        </div>
      ) : (
        <Nothing queue={queue} part={part} />
      )}
      {asking && (
        <ReasonForm
          kind={asking}
          error={reasoned.error}
          loading={reasoned.isPending}
          onClose={() => setAsking(null)}
          onSend={(reason) => reasoned.mutate({ kind: asking, reason })}
        />
      )}
    </>
  );
}

function Nothing({ queue, part }: { queue: Queue; part: Part }) {
  if (queue.closed) return <Empty title="This queue is closed">What was answered is kept.</Empty>;
  if (part === 'adjudication') {
    return (
      <Empty title="Nothing for you to decide">
        Items on which reviewers disagree wait here for somebody who has not reviewed them.
      </Empty>
    );
  }
  if (queue.progress.items === 0) {
    return (
      <Empty title="The queue is empty" command={`noria review add ${queue.name} --spans "feedback:down"`}>
        Traces, examples of a dataset and answers of an evaluation can be put into it.
      </Empty>
    );
  }
  return (
    <Empty title="Nothing is left for you here">
      What is still open has your review already, is looked at by others, or is assigned to them.
    </Empty>
  );
}

function ReasonForm({
  kind,
  error,
  loading,
  onClose,
  onSend,
}: {
  kind: Reason;
  error: ApiError | null;
  loading: boolean;
  onClose: () => void;
  onSend: (reason: string) => void;
}) {
  const [reason, setReason] = useState('');
  const needed = kind === 'flag' && !reason.trim();
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!needed) onSend(reason.trim());
  };
  return (
    <Modal opened onClose={onClose} title={kind === 'skip' ? 'Skip this item' : 'Flag this item'}>
      <form onSubmit={send}>
        <Textarea
          label={kind === 'skip' ? 'Why (may be left out)' : 'What should an administrator look at?'}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey) send(event);
          }}
          autosize
          minRows={2}
          data-autofocus
        />
        {error && (
          <p role="alert" className={classes.wrong}>
            {error.message}
          </p>
        )}
        <div className={classes.acts}>
          <Button type="submit" loading={loading} disabled={needed}>
            {kind === 'skip' ? 'Leave it to others' : 'Flag it'}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  );
}
