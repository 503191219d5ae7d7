/** People who may sign in, and what they may do where. */
import { Badge, Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask, type Schemas } from '../../api/client';
import { accountsQuery, sessionQuery } from '../../api/queries';
import type { Role } from '../../app/role';
import { useScope } from '../../app/scope';
import { Command } from '../../parts/Command';
import { type Column, DataTable } from '../../parts/DataTable';
import { Failure } from '../../parts/Failure';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Settings.module.css';

type Account = Schemas['AccountBody'];

const ROLES: Role[] = ['viewer', 'editor', 'admin'];

export function Accounts() {
  const { project } = useScope();
  const session = useQuery(sessionQuery(project));
  const { data, error, refetch } = useQuery({ ...accountsQuery, retry: false });
  const [inviting, setInviting] = useState(false);
  const [changing, setChanging] = useState<Account | null>(null);
  const [link, setLink] = useState<Schemas['Invited'] | null>(null);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const me = session.data?.principal?.id;
  const columns: Column<Account>[] = [
    {
      id: 'who',
      header: 'Who',
      width: 'minmax(180px, 2fr)',
      narrow: 'first',
      cell: (row) => (
        <>
          <b className={classes.name}>{row.name || row.email}</b>
          {row.id === me && <span className="dim"> you</span>}
        </>
      ),
      value: (row) => row.name || row.email,
    },
    {
      id: 'email',
      header: 'E-mail',
      width: 'minmax(160px, 2fr)',
      cell: (row) => <span className="dim">{row.email}</span>,
    },
    {
      id: 'roles',
      header: 'Roles',
      width: 'minmax(160px, 2fr)',
      narrow: 'second',
      cell: (row) => (
        <span className={classes.roles}>
          {Object.entries(row.roles).map(([where, role]) => (
            <Badge key={where} variant="default" size="sm" radius="sm" tt="none" fw={450}>
              {role} in {where === '*' ? 'every project' : where}
            </Badge>
          ))}
        </span>
      ),
    },
    {
      id: 'state',
      header: 'State',
      width: '110px',
      cell: (row) =>
        row.disabled ? (
          <Status tone="none" word="disabled" />
        ) : row.invited ? (
          <Status tone="warn" word="invited" />
        ) : (
          <Status tone="good" word="active" />
        ),
    },
    {
      id: 'method',
      header: 'Signs in by',
      width: '96px',
      cell: (row) => <span className="dim">{row.method}</span>,
    },
    {
      id: 'seen',
      header: 'Last seen',
      width: '96px',
      end: true,
      cell: (row) => <When ms={row.last_seen_ms} />,
      value: (row) => row.last_seen_ms,
    },
  ];
  return (
    <>
      <div className={classes.bar}>
        <Button leftSection={<IconPlus size={14} />} onClick={() => setInviting(true)}>
          Invite
        </Button>
      </div>
      <DataTable
        label="Accounts"
        columns={columns}
        rows={data?.items ?? []}
        id={(row) => row.id}
        onOpen={setChanging}
        loading={!data}
        height="100%"
      />
      {inviting && (
        <AccountForm
          account={null}
          onClose={() => setInviting(false)}
          onLink={(made) => {
            setInviting(false);
            setLink(made);
          }}
        />
      )}
      {changing && (
        <AccountForm
          account={changing}
          onClose={() => setChanging(null)}
          onLink={(made) => {
            setChanging(null);
            setLink(made);
          }}
        />
      )}
      {link && (
        <Modal opened onClose={() => setLink(null)} title={`A link for ${link.account.email}`}>
          <div className={classes.form}>
            <p className={classes.words}>
              Send it to them. It works once, for a week, and is not shown again.
            </p>
            <Command text={`${window.location.origin}${link.link}`} />
          </div>
        </Modal>
      )}
    </>
  );
}

interface FormProps {
  account: Account | null;
  onClose: () => void;
  onLink: (made: Schemas['Invited']) => void;
}

function AccountForm({ account, onClose, onLink }: FormProps) {
  const { project } = useScope();
  const session = useQuery(sessionQuery(project));
  const cache = useQueryClient();
  const [email, setEmail] = useState('');
  const [name, setName] = useState(account?.name ?? '');
  const [roles, setRoles] = useState<[string, Role][]>(
    account ? Object.entries(account.roles) : [[project, 'viewer']],
  );
  const refresh = () => void cache.invalidateQueries({ queryKey: ['accounts'] });
  const save = useMutation({
    mutationFn: async (disabled: boolean | null) => {
      const given = Object.fromEntries(roles);
      if (!account) return ask(api.POST('/api/accounts', { body: { email, name, roles: given } }));
      await ask(
        api.PATCH('/api/accounts/{id}', {
          params: { path: { id: account.id } },
          body: { name, roles: given, ...(disabled === null ? {} : { disabled }) },
        }),
      );
      return null;
    },
    onSuccess: (made) => {
      refresh();
      if (made) onLink(made);
      else onClose();
    },
  });
  const relink = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/accounts/{id}/link', { params: { path: { id: account?.id ?? '' } } })),
    onSuccess: onLink,
  });
  const fault = save.error ?? relink.error;
  const param = fault instanceof ApiError ? fault.param : null;
  const places = ['*', ...(session.data?.projects ?? [project])];
  return (
    <Modal opened onClose={onClose} title={account ? account.email : 'Invite somebody'}>
      <form
        className={classes.form}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          save.mutate(null);
        }}
      >
        {!account && (
          <TextInput
            label="E-mail"
            type="email"
            required
            data-autofocus
            value={email}
            error={param === 'email' ? fault?.message : null}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
        )}
        <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <div className={classes.grants}>
          {roles.map(([where, role], index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
            <div key={index} className={classes.grant}>
              <NativeSelect
                aria-label="Role"
                data={ROLES}
                value={role}
                onChange={(event) =>
                  setRoles(
                    roles.map((each, at) =>
                      at === index ? [where, event.currentTarget.value as Role] : each,
                    ),
                  )
                }
              />
              <NativeSelect
                aria-label="In"
                data={[...new Set([...places, where])].map((place) => ({
                  value: place,
                  label: place === '*' ? 'every project' : place,
                }))}
                value={where}
                onChange={(event) =>
                  setRoles(roles.map((each, at) => (at === index ? [event.currentTarget.value, role] : each)))
                }
              />
              <Button
                variant="subtle"
                color="gray"
                px={6}
                aria-label="Remove this role"
                disabled={roles.length === 1}
                onClick={() => setRoles(roles.filter((_, at) => at !== index))}
              >
                <IconTrash size={14} stroke={1.6} />
              </Button>
            </div>
          ))}
          <Button
            variant="subtle"
            leftSection={<IconPlus size={14} />}
            onClick={() =>
              setRoles([
                ...roles,
                [places.find((place) => !roles.some(([at]) => at === place)) ?? project, 'viewer'],
              ])
            }
          >
            Role
          </Button>
        </div>
        {fault && !param && (
          <p className={classes.wrong} role="alert">
            {fault.message}
          </p>
        )}
        <Button type="submit" loading={save.isPending}>
          {account ? 'Save' : 'Invite'}
        </Button>
        {account && (
          <div className={classes.pair}>
            <Button variant="default" loading={relink.isPending} onClick={() => relink.mutate()}>
              Link for a new password
            </Button>
            <Button
              variant="default"
              c={account.disabled ? undefined : 'var(--n-bad)'}
              onClick={() => save.mutate(!account.disabled)}
            >
              {account.disabled ? 'Let them sign in again' : 'Disable the account'}
            </Button>
          </div>
        )}
      </form>
    </Modal>
  );
}
