/** A label moves to a version: what its gates say of that version, and why it moves. */
import { Button, Modal, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { labelGatesQuery } from '../../api/prompts';
import { useScope } from '../../app/scope';
import { Status, type Tone } from '../../parts/Status';
import classes from './Prompts.module.css';

export const TONES: Record<string, Tone> = { pass: 'good', fail: 'bad', undecided: 'warn' };

export function useGates(name: string, label: string, number: number) {
  const { project } = useScope();
  return useQuery(labelGatesQuery(project, name, label, String(number)));
}

export function MoveForm({
  name,
  label,
  number,
  onClose,
}: {
  name: string;
  label: string;
  number: number;
  onClose: () => void;
}) {
  const { project } = useScope();
  const cache = useQueryClient();
  const [reason, setReason] = useState('');
  const gates = useGates(name, label, number);
  const move = useMutation({
    mutationFn: () =>
      ask(
        api.PUT('/api/prompts/{name}/labels/{label}', {
          params: { path: { name, label }, query: { project } },
          body: { to: String(number), reason },
        }),
      ),
    onSuccess: async () => {
      await Promise.all(
        ['prompt', 'prompts', 'label-moves'].map((key) => cache.invalidateQueries({ queryKey: [key] })),
      );
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Move ${label} of ${name} to version ${number}`}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          move.mutate();
        }}
      >
        {gates.data?.items.map((gate) => (
          <div key={gate.gate} className={classes.gate}>
            <Status tone={TONES[gate.verdict] ?? 'none'} word={`${gate.gate}: ${gate.verdict}`} />
            <span className="dim">{gate.reason}</span>
          </div>
        ))}
        <Textarea
          label="Why"
          description="Stands in the label's history"
          autosize
          minRows={2}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {move.error && (
          <p className={classes.wrong} role="alert">
            {move.error.message}
          </p>
        )}
        <Button type="submit" loading={move.isPending}>
          Move the label
        </Button>
      </form>
    </Modal>
  );
}
