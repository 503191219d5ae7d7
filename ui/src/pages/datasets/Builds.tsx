/** How curation made this dataset: steps with what each dropped and changed, by reason, and the examples behind. */
import { Button, Skeleton } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { api, ask } from '../../api/client';
import { type Build, buildsQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import { Events } from './BuildEvents';
import classes from './Datasets.module.css';

const TONES = { done: 'good', failed: 'bad', cancelled: 'warn', queued: 'none', running: 'none' } as const;

export function Builds({ name }: { name: string }) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(buildsQuery(project, name));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={160} m="lg" />;
  if (data.items.length === 0) {
    return (
      <Empty title="No build has made this dataset" command={`noria dataset build ${name}`}>
        A build runs the curation steps of [datasets.{name}.build] in noria.toml: encoding, language,
        duplicates, quality, personal data. What it drops or changes is kept here with its reason.
      </Empty>
    );
  }
  return data.items.map((build, place) => <One key={build.id} build={build} newest={place === 0} />);
}

function One({ build, newest }: { build: Build; newest: boolean }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const search = useSearch({ strict: false }) as { build?: string; step?: string; reason?: string };
  const set = useSetSearch();
  const fresh = () => cache.invalidateQueries({ queryKey: ['builds', project] });
  const stop = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/jobs/{id}/cancel', { params: { path: { id: build.job }, query: { project } } })),
    onSettled: fresh,
  });
  const resume = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/curation/builds/resume', {
          params: { query: { project } },
          body: { dataset: build.dataset },
        }),
      ),
    onSuccess: fresh,
  });
  const fault = stop.error ?? resume.error;
  const open = search.build === build.id;
  const most = Math.max(1, ...build.steps.flatMap((step) => Object.values(step.reasons ?? {})));
  return (
    <section className={classes.build} aria-label={`Build ${build.id}`}>
      <header>
        <Status tone={TONES[build.state]} word={build.state} />
        <Id value={build.id} short={16} />
        <span className="dim">
          from {build.source}, by {build.by}, <When ms={build.created_ms} />
        </span>
        {build.given !== null && build.left !== null && (
          <span className="num">
            {count(build.given)} → {count(build.left)} examples
            {build.version !== null && ` · version ${build.version}`}
          </span>
        )}
        {newest && may('editor') && (build.state === 'failed' || build.state === 'cancelled') && (
          <Button
            size="compact-xs"
            variant="default"
            loading={resume.isPending}
            leftSection={<IconPlayerPlay size={12} stroke={1.6} />}
            onClick={() => resume.mutate()}
          >
            Go on
          </Button>
        )}
      </header>
      {(build.state === 'running' || build.state === 'queued') && (
        <Progress
          label="Examples"
          done={build.done}
          total={build.total}
          since={build.created_ms}
          unit="examples"
          words={build.message}
          onStop={may('editor') ? () => stop.mutate() : undefined}
        />
      )}
      {build.state === 'failed' && <p className={classes.wrong}>{build.message}</p>}
      {fault && (
        <p className={classes.wrong} role="alert">
          {fault.message}
        </p>
      )}
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" data-end>
              Seen
            </th>
            <th scope="col" data-end>
              Changed
            </th>
            <th scope="col" data-end>
              Dropped
            </th>
            <th scope="col">By reason</th>
          </tr>
        </thead>
        <tbody>
          {build.steps.map((step, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a step may stand twice; its place tells it apart
            <tr key={place}>
              <th scope="row">{step.type}</th>
              <td data-end className="num">
                {count(step.seen)}
              </td>
              <td data-end className="num">
                <Count
                  value={step.changed}
                  label={`Examples that ${step.type} changed`}
                  onOpen={() => set({ build: build.id, step: String(place), reason: null })}
                />
              </td>
              <td data-end className="num">
                <Count
                  value={step.dropped}
                  label={`Examples that ${step.type} dropped`}
                  onOpen={() => set({ build: build.id, step: String(place), reason: null })}
                />
              </td>
              <td>
                <span className={classes.reasons}>
                  {Object.entries(step.reasons ?? {})
                    .sort(([, a], [, b]) => b - a)
                    .map(([reason, times]) => (
                      <button
                        key={reason}
                        type="button"
                        className={classes.reason}
                        aria-pressed={open && search.step === String(place) && search.reason === reason}
                        onClick={() => set({ build: build.id, step: String(place), reason })}
                      >
                        <i style={{ width: `${(times / most) * 60}px` }} />
                        {reason} <span className="num dim">{count(times)}</span>
                      </button>
                    ))}
                  {(step.unable ?? 0) > 0 && (
                    <span className="dim">{count(step.unable)} could not be done</span>
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {open && search.step !== undefined && (
        <Events build={build} step={Number(search.step)} reason={search.reason ?? ''} />
      )}
    </section>
  );
}

/** A figure that leads to the examples behind it. */
function Count({
  value,
  label,
  onOpen,
}: {
  value: number | null | undefined;
  label: string;
  onOpen: () => void;
}) {
  if (!value) return <>{count(value)}</>;
  return (
    <button type="button" className={classes.figure} aria-label={`${label}: ${value}`} onClick={onOpen}>
      {count(value)}
    </button>
  );
}
