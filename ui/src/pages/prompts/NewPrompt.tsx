import { Button, Modal, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ask } from '../../api/client';
import { useScope } from '../../app/scope';
import classes from './Prompts.module.css';

/** A name and what the catalog says; the first version is written next. */
export function NewPrompt({ onClose }: { onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [tags, setTags] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: () =>
      ask(
        api.PUT('/api/prompts/{name}', {
          params: { path: { name: name.trim() }, query: { project } },
          body: { description, tags, owners: [] },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['prompts'] });
      await navigate({
        to: '/prompts/$name',
        params: { name: name.trim() },
        search: { edit: 'main' } as never,
      });
    },
  });
  return (
    <Modal opened onClose={onClose} title="New prompt">
      <form
        className={classes.form}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextInput
          label="Name"
          required
          data-autofocus
          placeholder="such as support-answer"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          label="What it does"
          autosize
          minRows={2}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <TagsInput label="Tags" value={tags} onChange={setTags} />
        {make.error && (
          <p className={classes.wrong} role="alert">
            {make.error.message}
          </p>
        )}
        <Button type="submit" loading={make.isPending} disabled={!name.trim()}>
          Write its first version
        </Button>
      </form>
    </Modal>
  );
}
