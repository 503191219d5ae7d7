/** A new key: who it is for, what it may call, and how much. */
import {
  ActionIcon,
  Button,
  Modal,
  NativeSelect,
  NumberInput,
  Select,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask, type Schemas } from '../../api/client';
import { budgetsQuery, routesQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import classes from './Keys.module.css';

interface Limit {
  unit: 'requests' | 'tokens' | 'money';
  amount: number | null;
  window_s: number;
}

const WINDOWS = [
  { value: '1', label: 'a second' },
  { value: '60', label: 'a minute' },
  { value: '3600', label: 'an hour' },
  { value: '86400', label: 'a day' },
];
const EXPIRIES: Record<string, number | null> = {
  never: null,
  'in 7 days': 7,
  'in 30 days': 30,
  'in 90 days': 90,
  'in a year': 365,
};

export function KeyForm({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (key: Schemas['NewKey']) => void;
}) {
  const { project } = useScope();
  const cache = useQueryClient();
  const routes = useQuery(routesQuery(project));
  const budgets = useQuery(budgetsQuery(project));
  const [name, setName] = useState('');
  const [team, setTeam] = useState('');
  const [user, setUser] = useState('');
  const [role, setRole] = useState<Schemas['KeyBody']['role']>('caller');
  const [callable, setCallable] = useState<string[]>(['*']);
  const [under, setUnder] = useState<string[]>([]);
  const [expires, setExpires] = useState('never');
  const [limits, setLimits] = useState<Limit[]>([]);
  const make = useMutation({
    mutationFn: () => {
      const days = EXPIRIES[expires];
      return ask(
        api.POST('/api/keys', {
          params: { query: { project } },
          body: {
            name: name.trim(),
            team: team.trim(),
            user: user.trim(),
            role,
            routes: callable,
            budgets: under,
            expires_ms: days ? Date.now() + days * 86_400_000 : null,
            limits: limits
              .filter((limit) => limit.amount !== null)
              .map((limit) => ({ unit: limit.unit, amount: String(limit.amount), window_s: limit.window_s })),
          },
        }),
      );
    },
    onSuccess: (key) => {
      void cache.invalidateQueries({ queryKey: ['keys'] });
      onMade(key);
    },
  });
  const change = (at: number, part: Partial<Limit>) =>
    setLimits(limits.map((limit, index) => (index === at ? { ...limit, ...part } : limit)));
  const fault = make.error;
  const of = (param: string) => (fault instanceof ApiError && fault.param === param ? fault.message : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="New key" size="md">
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Name"
          placeholder="what calls with it, such as support-bot"
          required
          data-autofocus
          value={name}
          error={of('name')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div className={classes.pair}>
          <TextInput label="Team" value={team} onChange={(event) => setTeam(event.currentTarget.value)} />
          <TextInput label="User" value={user} onChange={(event) => setUser(event.currentTarget.value)} />
        </div>
        <TagsInput
          label="May call"
          description="Routes and models; * is all of them, an empty list none"
          data={['*', ...(routes.data?.items ?? []).map((route) => route.name)]}
          value={callable}
          error={of('routes')}
          onChange={setCallable}
        />
        <div className={classes.pair}>
          <Select
            label="Role"
            description="Above caller: may use the API"
            allowDeselect={false}
            data={['caller', 'viewer', 'editor', 'admin']}
            value={role}
            onChange={(value) => setRole(value as typeof role)}
          />
          <NativeSelect
            label="Expires"
            description="It is refused after that"
            data={Object.keys(EXPIRIES)}
            value={expires}
            onChange={(event) => setExpires(event.currentTarget.value)}
          />
        </div>
        <TagsInput
          label="Budgets"
          description="Beside those whose subject it matches"
          data={(budgets.data?.items ?? []).map((budget) => budget.name)}
          value={under}
          error={of('budgets')}
          onChange={setUnder}
        />
        <div className={classes.limits}>
          <span className={classes.label}>Limits</span>
          {limits.map((limit, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
            <div key={index} className={classes.limit}>
              <NumberInput
                aria-label="Most"
                placeholder="most"
                min={0}
                value={limit.amount ?? ''}
                onChange={(value) => change(index, { amount: typeof value === 'number' ? value : null })}
              />
              <NativeSelect
                aria-label="Of"
                data={[
                  { value: 'requests', label: 'requests' },
                  { value: 'tokens', label: 'tokens' },
                  { value: 'money', label: 'dollars' },
                ]}
                value={limit.unit}
                onChange={(event) => change(index, { unit: event.currentTarget.value as Limit['unit'] })}
              />
              <NativeSelect
                aria-label="In"
                data={WINDOWS}
                value={String(limit.window_s)}
                onChange={(event) => change(index, { window_s: Number(event.currentTarget.value) })}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                size={30}
                aria-label="Remove this limit"
                onClick={() => setLimits(limits.filter((_, at) => at !== index))}
              >
                <IconTrash size={14} stroke={1.6} />
              </ActionIcon>
            </div>
          ))}
          <Button
            variant="subtle"
            leftSection={<IconPlus size={14} />}
            onClick={() => setLimits([...limits, { unit: 'requests', amount: null, window_s: 60 }])}
          >
            Limit
          </Button>
        </div>
        {fault && !(fault instanceof ApiError && fault.param) && (
          <p className={classes.wrong} role="alert">
            {fault.message}
          </p>
        )}
        <Button type="submit" loading={make.isPending} disabled={!name.trim()}>
          Make the key
        </Button>
      </form>
    </Modal>
  );
}
