import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ask, setCsrf } from '../../api/client';
import { sessionQuery } from '../../api/queries';
import { Command } from '../../parts/Command';
import { Door } from './Door';
import classes from './Door.module.css';

export function SignIn() {
  const search = useSearch({ from: '/sign-in' });
  const { data } = useQuery(sessionQuery('default'));
  const cache = useQueryClient();
  const router = useRouter();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const next = search.next ?? '/';

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const state = await ask(api.POST('/api/session', { body: { email, password } }));
      setCsrf(state.csrf ?? null);
      cache.clear();
      router.history.push(next);
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  if (data?.needs_setup) {
    return (
      <Door title="Make the first account">
        <p className={classes.words}>
          Nobody has an account here yet. Open the one-time link that <code>noria up</code> printed in its
          terminal. It is printed again whenever Noria starts:
        </p>
        <Command text="noria up" />
      </Door>
    );
  }
  return (
    <Door title="Sign in">
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        <TextInput
          label="E-mail"
          type="email"
          size="sm"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          size="sm"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {wrong && (
          <p className={classes.wrong} role="alert">
            {wrong}
          </p>
        )}
        <Button type="submit" size="sm" loading={busy}>
          Sign in
        </Button>
      </form>
      {data?.methods.includes('oidc') && (
        <Button
          component="a"
          href={`/api/oidc/login?to=${encodeURIComponent(next)}`}
          variant="default"
          size="sm"
          fullWidth
          mt="sm"
        >
          Sign in through your organisation
        </Button>
      )}
    </Door>
  );
}
