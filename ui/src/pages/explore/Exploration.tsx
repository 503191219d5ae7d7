/** One exploration or comparison: is it feasible, with which model, asked how, and what is still open. */
import { Button, Skeleton } from '@mantine/core';
import { IconArrowLeft, IconDownload, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, ask } from '../../api/client';
import { type Exploration, findingsQuery, goesOn, reportAddress } from '../../api/explorations';
import { jobQuery } from '../../api/jobs';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page, Section } from '../../parts/Page';
import { Progress } from '../../parts/Progress';
import { Status } from '../../parts/Status';
import { Id, Money, When } from '../../parts/Value';
import { Fact } from '../evaluations/RunFacts';
import { Beside } from './Beside';
import classes from './Explore.module.css';
import { Advice, Held, Risks } from './Told';
import { FEASIBLE, STATES } from './told';
import { Ways } from './Ways';

export function ExplorationPage() {
  const { id } = useParams({ from: '/shell/explorations/$id' });
  const { project } = useScope();
  const { data, error, refetch } = useQuery(findingsQuery(project, id));
  const back = (
    <Link to="/models" search={{ tab: 'compare' } as never}>
      <IconArrowLeft size={14} /> Models, compare
    </Link>
  );
  if (error) {
    return (
      <Page title="Exploration" back={back}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  if (!data) {
    return (
      <Page title="Exploration" back={back}>
        <div className={classes.head}>
          <Skeleton height={40} mb={12} />
          <Skeleton height={260} />
        </div>
      </Page>
    );
  }
  const one = data.exploration;
  const explored = one.kind === 'exploration';
  return (
    <Page
      title={one.title}
      back={back}
      note={
        <span>
          <Status tone={STATES[one.state]} word={one.state} /> <Id value={id} short={18} />
        </span>
      }
      aside={<Acts one={one} />}
    >
      {explored && (
        <p className={classes.sentence}>
          <Status tone={FEASIBLE[data.feasible]} word={data.feasible} /> {data.sentence}
        </p>
      )}
      <div className={classes.head}>
        {goesOn(one) && <Doing one={one} />}
        {!goesOn(one) && one.state !== 'done' && <p className={classes.wrong}>{one.message}</p>}
        <dl className={classes.facts}>
          <Fact name="Samples">
            <Link
              to="/datasets/$name"
              params={{ name: one.dataset_name }}
              search={{ version: String(one.dataset_number) } as never}
            >
              {one.dataset}
            </Link>{' '}
            <span className="dim num">{count(one.samples)}</span>
          </Fact>
          <Fact name="Quality">
            {one.measure || 'not measured'} <span className="dim">{data.why_measure}</span>
          </Fact>
          {data.bar !== null && <Fact name="Bar">{data.bar}</Fact>}
          <Fact name="Spent">
            <Money value={data.spent} unknown={data.unknown} />
          </Fact>
          <Fact name="Begun">
            <When ms={one.created_ms} /> <span className="dim">by {one.by_name}</span>
          </Fact>
        </dl>
      </div>
      <Section title="Measured" note={`${count(one.ways)} ways of asking; a row opens its run`}>
        <Ways found={data} />
      </Section>
      <Held found={data} />
      <Advice found={data} />
      <Section title="Models">
        <Beside found={data} />
      </Section>
      <Risks found={data} />
      {data.task && (
        <Section title="What the models were told">
          <pre className={classes.task}>{data.task}</pre>
        </Section>
      )}
    </Page>
  );
}

function useStop(one: Exploration) {
  const { project } = useScope();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () =>
      ask(api.POST('/api/explorations/{id}/stop', { params: { path: { id: one.id }, query: { project } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: ['findings', project, one.id] }),
  });
}

function Doing({ one }: { one: Exploration }) {
  const { project } = useScope();
  const may = useRole();
  const { data: job } = useQuery(jobQuery(project, one.job));
  const stop = useStop(one);
  return (
    <>
      <Progress
        label="Answers"
        done={job?.done ?? null}
        total={job?.total ?? null}
        since={one.created_ms}
        unit="answers"
        words={one.state === 'queued' ? 'waits for its turn' : ''}
        onStop={may('editor') ? () => stop.mutate() : undefined}
      />
      <p className={classes.words}>{job?.message}</p>
      {stop.error && (
        <p className={classes.wrong} role="alert">
          {stop.error.message}
        </p>
      )}
    </>
  );
}

function Acts({ one }: { one: Exploration }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const resume = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/explorations/{id}/resume', { params: { path: { id: one.id }, query: { project } } }),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: ['findings', project, one.id] }),
  });
  return (
    <>
      {may('editor') && (one.state === 'stopped' || one.state === 'failed') && (
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={14} stroke={1.6} />}
          loading={resume.isPending}
          onClick={() => resume.mutate()}
        >
          Go on
        </Button>
      )}
      <Button
        component="a"
        href={reportAddress(project, one.id)}
        target="_blank"
        rel="noreferrer"
        variant="default"
        leftSection={<IconDownload size={14} stroke={1.6} />}
      >
        Report
      </Button>
      {resume.error && (
        <span className={classes.wrong} role="alert">
          {resume.error.message}
        </span>
      )}
    </>
  );
}
