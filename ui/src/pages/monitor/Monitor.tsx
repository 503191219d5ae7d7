/** One monitor: the course of each rule with its bounds, what changed, and its alerts. */
import { Button, Menu } from '@mantine/core';
import { IconArrowLeft, IconBellOff, IconChevronDown, IconListDetails } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api, ask } from '../../api/client';
import { eventsQuery, type MonitorEvent, monitorQuery, type Rule } from '../../api/monitors';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { exact } from '../../parts/format';
import { Page, Section } from '../../parts/Page';
import { When } from '../../parts/Value';
import { Alerts } from './Alerts';
import { Course } from './Course';
import classes from './Monitor.module.css';
import { Problem, Scores } from './Monitors';
import { Scroll } from './Scroll';
import { StateOf } from './StateOf';
import { bounds, madeOf, reading, span } from './words';

export function MonitorPage() {
  const { name } = useParams({ from: '/shell/monitor/$name' });
  const { rule: first } = useSearch({ strict: false }) as { rule?: string };
  const { project } = useScope();
  const { data, error, refetch } = useQuery(monitorQuery(project, name));
  const events = useQuery(eventsQuery(project, name)).data?.items ?? [];
  const rules = useMemo(
    // The one that a message led here for comes first.
    () => [...(data?.rules ?? [])].sort((a, b) => Number(b.name === first) - Number(a.name === first)),
    [data, first],
  );
  return (
    <Page
      title={name}
      back={
        <Link to="/monitor">
          <IconArrowLeft size={14} /> Monitor
        </Link>
      }
      note={data && <StateOf state={data.state} />}
      aside={
        data && (
          <Button
            component={Link}
            to="/traces"
            search={{ q: data.filter || undefined } as never}
            variant="default"
            leftSection={<IconListDetails size={14} stroke={1.6} />}
          >
            Traces
          </Button>
        )
      }
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data && (
        <>
          <Section
            title="What is watched"
            note={<code className={classes.filter}>{data.filter || 'every call of the project'}</code>}
          >
            <Problem words={data.problem} />
            {data.scorers.length > 0 && <Scores monitor={data} />}
            <p className={classes.words}>
              {data.channels.length > 0
                ? `Told: ${data.channels.join(', ')}, and this page.`
                : 'Only this page tells; `notify` names channels for webhooks and e-mail.'}
            </p>
          </Section>
          {rules.map((rule, index) => (
            <OneRule key={rule.name} monitor={name} rule={rule} events={events} named={index === 0} />
          ))}
          <Section title="Open alerts">
            <Alerts state="open" monitor={name} />
          </Section>
          <Section title="Changes of state">
            <Events events={events} rules={data.rules} />
          </Section>
          <Section title="Past alerts">
            <Alerts state="past" monitor={name} />
          </Section>
        </>
      )}
    </Page>
  );
}

interface RuleProps {
  monitor: string;
  rule: Rule;
  events: readonly MonitorEvent[];
  named: boolean;
}

function OneRule({ monitor, rule, events, named }: RuleProps) {
  return (
    <Section
      title={rule.name}
      note={
        <span className={classes.stand}>
          <StateOf state={rule.state} />
          {rule.since_ms > 0 && (
            <span className="dim">
              since <When ms={rule.since_ms} />
            </span>
          )}
        </span>
      }
      aside={<Mute monitor={monitor} rule={rule} />}
    >
      <Course monitor={monitor} rule={rule} events={events} named={named} />
      <p className={classes.words}>
        {bounds(rule)}, over {span(rule.window_s)}
        {rule.hold_s > 0 && `, held for ${span(rule.hold_s)}`}; now {reading(rule, rule.reading)}
        {rule.reading && ` of ${madeOf(rule, rule.reading)}`}
        {rule.reading && rule.reading.n < rule.least && `, under the ${rule.least} that are needed`}.
      </p>
    </Section>
  );
}

const SPANS = [
  ['an hour', 3_600_000],
  ['eight hours', 28_800_000],
  ['a day', 86_400_000],
  ['a week', 604_800_000],
] as const;

function Mute({ monitor, rule }: { monitor: string; rule: Rule }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const act = useMutation({
    mutationFn: (until: number) =>
      ask(
        api.POST('/api/monitors/{name}/rules/{rule}/mute', {
          params: { path: { name: monitor, rule: rule.name }, query: { project } },
          body: { until_ms: until },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['monitor', project, monitor] }),
  });
  if (!may('editor') || rule.checked_ms === 0) return null;
  return (
    <>
      {act.error && (
        <span className={classes.wrong} role="alert">
          {act.error.message}
        </span>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconBellOff size={14} stroke={1.6} />}
            rightSection={<IconChevronDown size={12} />}
            loading={act.isPending}
          >
            {rule.muted_ms > 0 ? `Muted until ${exact(rule.muted_ms).slice(0, 16)}` : 'Mute'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {SPANS.map(([words, ms]) => (
            <Menu.Item key={words} onClick={() => act.mutate(Date.now() + ms)}>
              For {words}
            </Menu.Item>
          ))}
          {rule.muted_ms > 0 && <Menu.Item onClick={() => act.mutate(0)}>Tell again</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function Events({ events, rules }: { events: readonly MonitorEvent[]; rules: readonly Rule[] }) {
  if (events.length === 0) return <p className={classes.words}>No rule was read yet.</p>;
  return (
    <Scroll label="Changes of state">
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Rule</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Measured</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => {
            const rule = rules.find((one) => one.name === event.rule);
            return (
              <tr key={event.id}>
                <th scope="row">
                  <When ms={event.at_ms} />
                </th>
                <td>{event.rule}</td>
                <td>
                  <StateOf state={event.before} />
                </td>
                <td>
                  <StateOf state={event.after} />
                </td>
                <td className="num">
                  {rule ? `${reading(rule, event.reading)} of ${madeOf(rule, event.reading)}` : '–'}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
