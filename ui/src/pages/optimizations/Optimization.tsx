/** One search: what it found, the evidence on examples that it had not seen, what it changed, and its spend. */
import { Button, Menu, Skeleton } from '@mantine/core';
import { IconArrowLeft, IconChevronDown, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { type Optimization, optimizationQuery } from '../../api/optimizations';
import { promptDiffQuery, promptQuery } from '../../api/prompts';
import { underWay } from '../../api/studies';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { Page, Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { Id } from '../../parts/Value';
import { MoveForm } from '../prompts/MoveLabel';
import { PromptDiff } from '../prompts/VersionDiff';
import { Evidence } from './Evidence';
import { OptimizationFacts, OptimizationProgress } from './OptimizationFacts';
import classes from './Optimizations.module.css';
import { outcome } from './outcome';

export function OptimizationPage() {
  const { id } = useParams({ from: '/shell/optimizations/$id' });
  const { project } = useScope();
  const { data: one, error, refetch } = useQuery(optimizationQuery(project, id));
  const back = (
    <Link
      to={one ? '/prompts/$name' : '/prompts'}
      params={{ name: one?.prompt ?? '' } as never}
      search={(one ? { tab: 'optimize' } : {}) as never}
    >
      <IconArrowLeft size={14} /> {one?.prompt ?? 'Prompts'}
    </Link>
  );
  if (error) {
    return (
      <Page title="Search for a better version" back={back}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  if (!one) {
    return (
      <Page title="Search for a better version" back={back}>
        <Skeleton height={280} m="lg" />
      </Page>
    );
  }
  return (
    <Page
      title={`A better ${one.prompt}`}
      back={back}
      note={
        <span className={classes.cell}>
          <Status {...outcome(one)} /> <Id value={id} short={16} />
        </span>
      }
      aside={<Acts one={one} />}
    >
      <div className={classes.head}>
        {one.message && (
          <p className={classes.message} data-bad={one.state === 'failed' || undefined} role="status">
            {one.message}
          </p>
        )}
        <OptimizationFacts one={one} />
        {underWay(one) && <OptimizationProgress one={one} />}
      </div>
      {one.runs.length === 2 && one.runs[0] && one.runs[1] && (
        <Section
          title="Evidence"
          note="on test examples, which neither the writer nor the choice has seen"
          aside={
            <Button
              component={Link}
              to="/evaluations/compare"
              search={{ base: one.runs[0], with: one.runs[1] } as never}
              variant="default"
            >
              Compare example by example
            </Button>
          }
        >
          <Evidence before={one.runs[0]} after={one.runs[1]} measure={one.measure} />
        </Section>
      )}
      {one.number !== null && <Changed one={one} number={one.number} />}
    </Page>
  );
}

function Changed({ one, number }: { one: Optimization; number: number }) {
  const { project } = useScope();
  const { data, error } = useQuery(promptDiffQuery(project, one.prompt, String(one.version), String(number)));
  return (
    <>
      <Section title="What changed" note={`from version ${one.version} to version ${number}`}>
        {error && <p className={classes.wrong}>{error.message}</p>}
        {!data && !error && <Skeleton height={160} />}
      </Section>
      {data && <PromptDiff diff={data} />}
    </>
  );
}

function Acts({ one }: { one: Optimization }) {
  const may = useRole();
  const { project } = useScope();
  const cache = useQueryClient();
  const [label, setLabel] = useState<string | null>(null);
  const prompt = useQuery({ ...promptQuery(project, one.prompt), enabled: one.number !== null });
  const resume = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/optimizations/{id}/resume', {
          params: { path: { id: one.id }, query: { project } },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['optimization', project, one.id] }),
  });
  const labels = prompt.data?.prompt.labels ?? [];
  return (
    <>
      {resume.error && (
        <span className={classes.wrong} role="alert">
          {resume.error.message}
        </span>
      )}
      {may('editor') && (one.state === 'stopped' || one.state === 'failed') && (
        <Button
          loading={resume.isPending}
          leftSection={<IconPlayerPlay size={14} stroke={1.6} />}
          onClick={() => resume.mutate()}
        >
          Go on
        </Button>
      )}
      {one.number !== null && (
        <Button
          component={Link}
          to="/prompts/$name"
          params={{ name: one.prompt } as never}
          search={{ at: String(one.number) } as never}
          variant="default"
        >
          Open version {one.number}
        </Button>
      )}
      {one.number !== null && may('editor') && labels.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button rightSection={<IconChevronDown size={14} stroke={1.6} />}>Take it</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>Move a label to version {one.number}</Menu.Label>
            {labels.map((each) => (
              <Menu.Item
                key={each.name}
                disabled={each.number === one.number}
                onClick={() => setLabel(each.name)}
              >
                {each.name}{' '}
                <span className="dim">
                  {each.number === one.number ? 'stands there' : `now version ${each.number}`}
                </span>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {label !== null && one.number !== null && (
        <MoveForm name={one.prompt} label={label} number={one.number} onClose={() => setLabel(null)} />
      )}
    </>
  );
}
