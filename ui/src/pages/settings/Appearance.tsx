/** Light or dark, dense or not, and one's own password. */
import { Button, PasswordInput, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask } from '../../api/client';
import { sessionQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { Section } from '../../parts/Page';
import classes from './Settings.module.css';

export function Appearance() {
  const { project } = useScope();
  const session = useQuery(sessionQuery(project));
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [density, setDensity] = useState(document.documentElement.dataset.density ?? 'normal');
  return (
    <div className={classes.health}>
      <Section title="Light or dark" note="in this browser">
        <SegmentedControl
          aria-label="Light or dark"
          value={colorScheme}
          onChange={(value) => setColorScheme(value as typeof colorScheme)}
          data={[
            { value: 'auto', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
        />
      </Section>
      <Section title="Rows" note="in this browser">
        <SegmentedControl
          aria-label="Rows"
          value={density}
          onChange={(value) => {
            setDensity(value);
            document.documentElement.dataset.density = value;
            localStorage.setItem('noria-density', value);
          }}
          data={[
            { value: 'normal', label: 'Normal' },
            { value: 'compact', label: 'Compact' },
          ]}
        />
      </Section>
      {session.data?.principal?.kind === 'account' && <Password />}
    </div>
  );
}

function Password() {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const change = useMutation({
    mutationFn: () => ask(api.POST('/api/accounts/me/password', { body: { old, new: fresh } })),
    onSuccess: () => {
      setOld('');
      setFresh('');
    },
  });
  return (
    <Section title="Password" note="other sessions of yours end when it changes">
      <form
        className={classes.password}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <PasswordInput
          label="Old"
          autoComplete="current-password"
          required
          value={old}
          onChange={(event) => setOld(event.currentTarget.value)}
        />
        <PasswordInput
          label="New"
          autoComplete="new-password"
          required
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
        />
        {change.error && (
          <p className={classes.wrong} role="alert">
            {change.error.message}
          </p>
        )}
        {change.isSuccess && <p className={classes.words}>Changed.</p>}
        <Button type="submit" variant="default" loading={change.isPending}>
          Change the password
        </Button>
      </form>
    </Section>
  );
}
