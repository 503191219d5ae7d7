/** Deleting everything that is recorded of one person. */
import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { count } from '../../parts/format';
import { Section } from '../../parts/Page';
import classes from './Settings.module.css';

export function Erasure() {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const [user, setUser] = useState('');
  const [again, setAgain] = useState<string | null>(null);
  const erase = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/erasures', { params: { query: { project } }, body: { user: user.trim() } })),
    onSuccess: () => {
      setAgain(null);
      setUser('');
      return cache.invalidateQueries();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user.trim()) setAgain('');
  };
  return (
    <div className={classes.health}>
      <Section title="Erase what is recorded of a person">
        <p className={classes.words}>
          Deletes every trace, span and stored response in project {project} whose calls were tagged with this
          user. Their cost stays in the sums, without the name.
        </p>
        <form className={classes.password} onSubmit={submit}>
          <TextInput
            label="User, as calls name it"
            required
            disabled={!may('admin')}
            value={user}
            onChange={(event) => setUser(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" c="var(--n-bad)" disabled={!may('admin') || !user.trim()}>
            Erase …
          </Button>
          {!may('admin') && <p className={classes.words}>Only administrators of the project may erase.</p>}
        </form>
        {erase.data && (
          <p className={classes.words} role="status">
            Deleted {count(erase.data.traces)} traces, {count(erase.data.spans)} spans and{' '}
            {count(erase.data.stored)} stored responses.
          </p>
        )}
      </Section>
      <Modal opened={again !== null} onClose={() => setAgain(null)} title={`Erase all of ${user.trim()}?`}>
        <div className={classes.form}>
          <p className={classes.words}>This cannot be undone. Write the user's name again to go on.</p>
          <TextInput
            aria-label="The user's name again"
            data-autofocus
            value={again ?? ''}
            onChange={(event) => setAgain(event.currentTarget.value)}
          />
          {erase.error && (
            <p className={classes.wrong} role="alert">
              {erase.error.message}
            </p>
          )}
          <Button
            color="red"
            disabled={again?.trim() !== user.trim()}
            loading={erase.isPending}
            onClick={() => erase.mutate()}
          >
            Erase {user.trim()}
          </Button>
        </div>
      </Modal>
    </div>
  );
}
