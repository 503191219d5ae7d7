/** Caps on money: spent, reserved, and where the window will end at the rate so far. */
import { ActionIcon, Button, Modal, NativeSelect, Skeleton, Switch, TextInput, Tooltip } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask, type Schemas } from '../../api/client';
import { budgetsQuery } from '../../api/queries';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { money, percent } from '../../parts/format';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Keys.module.css';

type Budget = Schemas['BudgetBody'];

const STATE = {
  ok: { tone: 'good', word: 'within' },
  warning: { tone: 'warn', word: 'nearly spent' },
  exceeded: { tone: 'bad', word: 'spent' },
} as const;

export function Budgets() {
  const { project } = useScope();
  const may = useRole();
  const { data, error, refetch } = useQuery({ ...budgetsQuery(project), refetchInterval: 10_000 });
  const [editing, setEditing] = useState<Budget | 'new' | null>(null);
  const [deleting, setDeleting] = useState<Budget | null>(null);
  const owner = may('admin', 'installation');
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const create = (
    <Button leftSection={<IconPlus size={14} />} onClick={() => setEditing('new')} disabled={!owner}>
      New budget
    </Button>
  );
  return (
    <div className={classes.budgets}>
      <div className={classes.bar}>
        {create}
        <span className="dim">
          {owner
            ? 'Hard budgets refuse what could exceed them; soft ones count and warn.'
            : 'Only administrators of the installation change budgets.'}
        </span>
      </div>
      {!data && <Skeleton height={120} mx={16} />}
      {data?.items.length === 0 && (
        <Empty title="No budgets yet" action={create}>
          A budget caps the money that a key, team, user, project or tag may spend in an hour, day, week or
          month.
        </Empty>
      )}
      {data?.items.map((budget) => (
        <section key={budget.name} className={classes.budget} aria-label={`Budget ${budget.name}`}>
          <header>
            <b>{budget.name}</b>
            <span className="dim">
              {budget.hard ? 'hard' : 'soft'} · {budget.subject} ·{' '}
              <span className="num">{money(budget.amount)}</span>{' '}
              {budget.window === 'total' ? 'in all' : `a ${budget.window}`}
            </span>
            <Status {...STATE[budget.state]} />
            <span className={classes.end}>
              {budget.end_ms !== null && (
                <span className="dim">
                  ends <When ms={budget.end_ms} />
                </span>
              )}
              {budget.source === 'config' ? (
                <Tooltip label="This budget is in noria.toml; change it there">
                  <span className="dim">noria.toml</span>
                </Tooltip>
              ) : (
                owner && (
                  <>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size={28}
                      aria-label={`Change ${budget.name}`}
                      onClick={() => setEditing(budget)}
                    >
                      <IconPencil size={15} stroke={1.6} />
                    </ActionIcon>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size={28}
                      aria-label={`Delete ${budget.name}`}
                      onClick={() => setDeleting(budget)}
                    >
                      <IconTrash size={15} stroke={1.6} />
                    </ActionIcon>
                  </>
                )
              )}
            </span>
          </header>
          {budget.subjects.length === 0 && <div className={classes.none}>Nothing spent in this window.</div>}
          {budget.subjects.map((spend) => (
            <Spend key={spend.subject} budget={budget} spend={spend} />
          ))}
        </section>
      ))}
      {editing && <BudgetForm budget={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
      {deleting && <Delete budget={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}

/** The bar: spent, then reserved, the warning as a line, and the forecast as a mark that may lie beyond the cap. */
function Spend({ budget, spend }: { budget: Budget; spend: Schemas['SpendBody'] }) {
  const amount = Number(budget.amount);
  const forecast = spend.forecast === null ? null : Number(spend.forecast);
  const scale = Math.max(amount, Number(spend.spent), forecast ?? 0) || 1;
  const at = (value: number) => `${(value / scale) * 100}%`;
  const over = Number(spend.spent) >= amount;
  return (
    <div className={classes.spend}>
      <span className="ellipsis">{spend.subject}</span>
      <span className={classes.track} aria-hidden>
        <i
          className={classes.spent}
          data-over={over || undefined}
          style={{ width: at(Number(spend.spent)) }}
        />
        {spend.reserved !== null && (
          <i
            className={classes.reserved}
            style={{ left: at(Number(spend.spent)), width: at(Number(spend.reserved)) }}
          />
        )}
        <i className={classes.warnAt} style={{ left: at(amount * budget.warn_share) }} />
        <i className={classes.cap} style={{ left: at(amount) }} />
        {forecast !== null && <i className={classes.forecast} style={{ left: at(forecast) }} />}
      </span>
      <span className="num">
        {money(spend.spent)}{' '}
        <span className="dim">
          of {money(budget.amount)}, {percent(spend.share)}
        </span>
      </span>
      <span className="num dim">
        {spend.reserved === null
          ? 'reservations cannot be read'
          : Number(spend.reserved) > 0
            ? `${money(spend.reserved)} reserved`
            : ''}
      </span>
      <span className={forecast !== null && forecast > amount ? `num ${classes.bad}` : 'num dim'}>
        {forecast === null
          ? budget.window === 'total'
            ? ''
            : 'too early to forecast'
          : `${forecast > amount ? '▲ ' : ''}${money(forecast)} by the end`}
      </span>
    </div>
  );
}

function BudgetForm({ budget, onClose }: { budget: Budget | null; onClose: () => void }) {
  const cache = useQueryClient();
  const [name, setName] = useState(budget?.name ?? '');
  const [kind, setKind] = useState('team');
  const [of, setOf] = useState('*');
  const [amount, setAmount] = useState(budget?.amount ?? '');
  const [window, setWindow] = useState<Budget['window']>(budget?.window ?? 'month');
  const [hard, setHard] = useState(budget?.hard ?? true);
  const [warn, setWarn] = useState(String(Math.round((budget?.warn_share ?? 0.8) * 100)));
  const save = useMutation({
    mutationFn: () => {
      const shared = { amount, hard, warn_share: Number(warn) / 100 };
      return budget
        ? ask(api.PATCH('/api/budgets/{name}', { params: { path: { name: budget.name } }, body: shared }))
        : ask(api.POST('/api/budgets', { body: { ...shared, name, subject: `${kind}:${of}`, window } }));
    },
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['budgets'] });
      onClose();
    },
  });
  const param = save.error instanceof ApiError ? save.error.param : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={budget ? `Change ${budget.name}` : 'New budget'}>
      <form className={classes.form} onSubmit={submit}>
        {!budget && (
          <>
            <TextInput
              label="Name"
              placeholder="such as team-month"
              required
              data-autofocus
              value={name}
              error={param === 'name' ? save.error?.message : null}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <div className={classes.pair}>
              <NativeSelect
                label="Of"
                data={['key', 'team', 'user', 'project']}
                value={kind}
                onChange={(event) => setKind(event.currentTarget.value)}
              />
              <TextInput
                label="Named"
                description="* counts each apart"
                required
                value={of}
                onChange={(event) => setOf(event.currentTarget.value)}
              />
            </div>
          </>
        )}
        <div className={classes.pair}>
          <TextInput
            label="Dollars"
            inputMode="decimal"
            required
            value={amount}
            error={param === 'amount' ? save.error?.message : null}
            onChange={(event) => setAmount(event.currentTarget.value)}
          />
          {budget ? (
            <TextInput label="In" value={`a ${budget.window}`} disabled />
          ) : (
            <NativeSelect
              label="In"
              data={[
                { value: 'hour', label: 'an hour' },
                { value: 'day', label: 'a day' },
                { value: 'week', label: 'a week' },
                { value: 'month', label: 'a month' },
                { value: 'total', label: 'all time' },
              ]}
              value={window}
              onChange={(event) => setWindow(event.currentTarget.value as Budget['window'])}
            />
          )}
        </div>
        <Switch
          label="Hard: refuse what could exceed it"
          checked={hard}
          onChange={(event) => setHard(event.currentTarget.checked)}
        />
        <TextInput
          label="Warn from, in percent"
          inputMode="numeric"
          value={warn}
          onChange={(event) => setWarn(event.currentTarget.value)}
        />
        {save.error && !param && (
          <p className={classes.wrong} role="alert">
            {save.error.message}
          </p>
        )}
        <Button type="submit" loading={save.isPending}>
          {budget ? 'Save' : 'Make the budget'}
        </Button>
      </form>
    </Modal>
  );
}

function Delete({ budget, onClose }: { budget: Budget; onClose: () => void }) {
  const cache = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/api/budgets/{name}', { params: { path: { name: budget.name } } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['budgets'] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Delete ${budget.name}?`}>
      <div className={classes.form}>
        <p className={classes.words}>
          {budget.subject} may then spend without this cap of {money(budget.amount)}. What was spent stays in
          the ledger.
        </p>
        {remove.error && (
          <p className={classes.wrong} role="alert">
            {remove.error.message}
          </p>
        )}
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete {budget.name}
        </Button>
      </div>
    </Modal>
  );
}
