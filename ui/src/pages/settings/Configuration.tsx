/** What runs, what is planned, and every version before; each can be served again. */
import { Button, Modal, Skeleton, TextInput } from '@mantine/core';
import { IconDownload, IconPencil, IconRestore } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type Answer, api, ask, type Schemas } from '../../api/client';
import { configQuery, versionQuery, versionsQuery } from '../../api/queries';
import { useRole } from '../../app/role';
import { useSetSearch } from '../../app/scope';
import { Diff } from '../../parts/Diff';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { LazyCode } from '../../parts/LazyCode';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import { Changes } from './Changes';
import classes from './Settings.module.css';

export function Configuration() {
  const search = useSearch({ strict: false }) as { version?: string };
  const set = useSetSearch();
  const may = useRole();
  const current = useQuery(configQuery);
  const versions = useInfiniteQuery(versionsQuery);
  const list = versions.data?.pages.flatMap((page) => page.items) ?? [];
  const number = search.version ? Number(search.version) : null;
  const [planning, setPlanning] = useState<Record<string, string> | 'disk' | null>(null);
  if (current.error) return <Failure error={current.error} retry={() => void current.refetch()} />;
  if (!current.data) return <Skeleton height={200} m={16} />;
  const running = current.data.version;
  if (!running) {
    return (
      <Empty title="Nothing is applied yet" command="noria init && noria apply">
        The configuration is one noria.toml in your repository. Each apply makes one immutable version.
      </Empty>
    );
  }
  return (
    <div className={classes.split}>
      <nav className={classes.versions} aria-label="Versions">
        <div className={classes.versionsHead}>
          {current.data.differs_on_disk && (
            <div className={classes.differs}>
              <Status tone="warn" word="noria.toml differs from what runs" />
              {may('editor') && (
                <Button variant="default" fullWidth mt={6} onClick={() => setPlanning('disk')}>
                  See what apply would change
                </Button>
              )}
            </div>
          )}
        </div>
        {list.map((version) => (
          <button
            type="button"
            key={version.number}
            className={classes.version}
            data-here={(number ?? running.number) === version.number || undefined}
            onClick={() =>
              set({ version: version.current ? null : String(version.number) }, { replace: true })
            }
          >
            <span className={classes.versionLine}>
              <b className="num">#{version.number}</b>
              {version.current && <Status tone="good" word="runs" />}
              {version.rolled_back_to !== null && <span className="dim">as #{version.rolled_back_to}</span>}
              <span className={classes.when}>
                <When ms={version.created_ms} />
              </span>
            </span>
            <span className="ellipsis dim">{version.comment || `by ${version.by_name || version.by}`}</span>
          </button>
        ))}
        {versions.hasNextPage && (
          <Button
            variant="subtle"
            loading={versions.isFetchingNextPage}
            onClick={() => void versions.fetchNextPage()}
          >
            Earlier
          </Button>
        )}
      </nav>
      <div className={classes.detail}>
        {number === null || number === running.number ? (
          <Files state={current.data} onPlan={setPlanning} />
        ) : (
          <Earlier number={number} running={current.data} />
        )}
      </div>
      {planning && (
        <Plan
          files={planning === 'disk' ? null : planning}
          current={running.number}
          onClose={() => setPlanning(null)}
        />
      )}
    </div>
  );
}

type Version = Answer<'/api/config/versions'>['items'][number];

function Head({ version, children }: { version: Version; children?: React.ReactNode }) {
  return (
    <header className={classes.head}>
      <h2>Version {version.number}</h2>
      <Id value={version.digest} short={16} />
      <span className="dim">by {version.by_name || version.by}</span>
      <span className={classes.headActions}>
        <Button
          component="a"
          href={`/api/config/export?number=${version.number}`}
          download
          variant="default"
          leftSection={<IconDownload size={14} stroke={1.6} />}
        >
          Files
        </Button>
        {children}
      </span>
    </header>
  );
}

interface FilesProps {
  state: Schemas['ConfigState'];
  onPlan: (files: Record<string, string>) => void;
}

/** The files that run; whoever may can change them here, through the same plan and versions. */
function Files({ state, onPlan }: FilesProps) {
  const may = useRole();
  const [draft, setDraft] = useState<Record<string, string> | null>(null);
  const number = state.version?.number;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version ends the editing of the old one
  useEffect(() => setDraft(null), [number]);
  const files = draft ?? state.files;
  const changed = draft !== null && Object.keys(draft).some((path) => draft[path] !== state.files[path]);
  return (
    <>
      {state.version && (
        <Head version={state.version}>
          {draft ? (
            <>
              <Button variant="default" onClick={() => setDraft(null)}>
                Discard
              </Button>
              <Button disabled={!changed} onClick={() => onPlan(draft)}>
                See what it changes
              </Button>
            </>
          ) : (
            may('editor') && (
              <Button
                variant="default"
                leftSection={<IconPencil size={14} stroke={1.6} />}
                onClick={() => setDraft({ ...state.files })}
              >
                Edit
              </Button>
            )
          )}
        </Head>
      )}
      {draft && (
        <p className={classes.words}>
          What is applied here is a new version; <code>noria pull</code> writes it back to the files.
        </p>
      )}
      {Object.entries(files).map(([path, text]) => (
        <section key={path} className={classes.file}>
          <h3 className="mono">{path}</h3>
          <LazyCode
            value={text}
            label={path}
            language={path.endsWith('.toml') ? 'toml' : 'text'}
            onChange={
              draft
                ? (next) => setDraft((before) => (before ? { ...before, [path]: next } : before))
                : undefined
            }
          />
        </section>
      ))}
    </>
  );
}

/** An earlier version beside what runs, with the way back to it. */
function Earlier({ number, running }: { number: number; running: Schemas['ConfigState'] }) {
  const may = useRole();
  const { data, error, refetch } = useQuery(versionQuery(number));
  const [asking, setAsking] = useState(false);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data?.version) return <Skeleton height={200} />;
  const paths = [...new Set([...Object.keys(data.files), ...Object.keys(running.files)])].sort();
  const differing = paths.filter((path) => data.files[path] !== running.files[path]);
  return (
    <>
      <Head version={data.version}>
        {may('admin', 'installation') && (
          <Button leftSection={<IconRestore size={14} stroke={1.6} />} onClick={() => setAsking(true)}>
            Roll back to it
          </Button>
        )}
      </Head>
      <p className={classes.words}>
        {differing.length === 0
          ? 'Its files are the same as those that run.'
          : `What going back from #${running.version?.number} would take out and put in:`}
      </p>
      {differing.map((path) => (
        <section key={path} className={classes.file}>
          <h3 className="mono">{path}</h3>
          <Diff before={running.files[path] ?? ''} after={data.files[path] ?? ''} by="lines" />
        </section>
      ))}
      {asking && <RollBack version={data.version} onClose={() => setAsking(false)} />}
    </>
  );
}

function RollBack({ version, onClose }: { version: Version; onClose: () => void }) {
  const cache = useQueryClient();
  const set = useSetSearch();
  const [comment, setComment] = useState('');
  const back = useMutation({
    mutationFn: () => ask(api.POST('/api/config/rollback', { body: { number: version.number, comment } })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['config'] });
      await cache.invalidateQueries({ queryKey: ['config-versions'] });
      onClose();
      set({ version: null }, { replace: true });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Serve version ${version.number} again?`}>
      <div className={classes.form}>
        <p className={classes.words}>
          It becomes a new version, and every worker serves it when this ends. Requests in flight finish on
          theirs. It can be rolled back in turn.
        </p>
        <TextInput
          label="Why (kept in the history)"
          value={comment}
          data-autofocus
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {back.error && (
          <p className={classes.wrong} role="alert">
            {back.error.message}
          </p>
        )}
        <Button loading={back.isPending} onClick={() => back.mutate()}>
          Roll back to #{version.number}
        </Button>
      </div>
    </Modal>
  );
}

interface PlanProps {
  /** By path; null: noria.toml on the server's disk. */
  files: Record<string, string> | null;
  current: number;
  onClose: () => void;
}

/** What these files would change, and the button that makes it so. */
function Plan({ files, current, onClose }: PlanProps) {
  const cache = useQueryClient();
  const may = useRole();
  const [comment, setComment] = useState('');
  const plan = useQuery({
    queryKey: ['config-plan', current, files],
    queryFn: ({ signal }) => ask(api.POST('/api/config/plan', { body: { files }, signal })),
    staleTime: 0,
  });
  const apply = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/config/apply', {
          // Exactly what was shown, and only over the version that it was compared with.
          body: { files, comment, digest: plan.data?.digest ?? null, current: plan.data?.current ?? null },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['config'] });
      await cache.invalidateQueries({ queryKey: ['config-versions'] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="What apply would change" size="lg">
      <div className={classes.form}>
        {plan.error && <Failure error={plan.error} retry={() => void plan.refetch()} />}
        {plan.isPending && <Skeleton height={120} />}
        {plan.data && <Changes changes={plan.data.changes} />}
        {plan.data && may('admin', 'installation') && (
          <>
            <TextInput
              label="Comment (kept in the history)"
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
            />
            {apply.error && (
              <p className={classes.wrong} role="alert">
                {apply.error.message}
              </p>
            )}
            <Button
              loading={apply.isPending}
              disabled={plan.data.changes.length === 0}
              onClick={() => apply.mutate()}
            >
              Apply
            </Button>
          </>
        )}
      </div>
    </Modal>
  );
}
