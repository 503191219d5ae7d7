/** Where a one-time link leads: the first account, an invitation, or a new password. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ask, setCsrf } from '../../api/client';
import { sessionQuery } from '../../api/queries';
import { Door } from './Door';
import classes from './Door.module.css';

export function Setup() {
  const { token } = useSearch({ from: '/setup' });
  const { data } = useQuery(sessionQuery('default'));
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const first = data?.needs_setup ?? false;
  const differs = again !== '' && again !== password;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (differs || !token) return;
    setBusy(true);
    try {
      const state = await ask(
        api.POST('/api/setup', { body: { token, name, password, ...(first ? { email } : {}) } }),
      );
      setCsrf(state.csrf ?? null);
      cache.clear();
      await navigate({ to: '/', search: {} });
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  if (!token) {
    return (
      <Door title="This link is not whole">
        <p className={classes.words}>Copy the whole link, with the token at its end, and open it again.</p>
      </Door>
    );
  }
  return (
    <Door title={first ? 'Make the first account' : 'Choose a password'}>
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        {first && (
          <p className={classes.words}>
            This account administers the whole installation; it can invite others.
          </p>
        )}
        {first && (
          <TextInput
            label="E-mail"
            type="email"
            size="sm"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
        )}
        <TextInput
          label="Name"
          size="sm"
          autoComplete="name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          size="sm"
          autoComplete="new-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password again"
          size="sm"
          autoComplete="new-password"
          required
          value={again}
          error={differs ? 'The two differ' : null}
          onChange={(event) => setAgain(event.currentTarget.value)}
        />
        {wrong && (
          <p className={classes.wrong} role="alert">
            {wrong}
          </p>
        )}
        <Button type="submit" size="sm" loading={busy}>
          {first ? 'Make the account' : 'Set the password'}
        </Button>
      </form>
    </Door>
  );
}
