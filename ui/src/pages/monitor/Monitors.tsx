/** What is watched, how it stands, and the alerts that are open. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Monitor, monitorsQuery } from '../../api/monitors';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page, Section } from '../../parts/Page';
import { Alerts } from './Alerts';
import { Spark } from './Course';
import classes from './Monitor.module.css';
import { Scroll } from './Scroll';
import { StateOf } from './StateOf';
import { bounds, madeOf, measured, OUTCOMES, reading } from './words';

export function MonitorsPage() {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(monitorsQuery(project));
  return (
    <Page title="Monitor" note={data && said(data.open_alerts)}>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty title="Nothing is watched yet" command="noria monitor list">
          A monitor scores a sample of live calls and watches errors, latency, cost and quality. Write
          [monitors.NAME] in noria.toml with a filter, scorers and alerts; docs/guides/monitor.md begins with
          four lines.
        </Empty>
      )}
      {data && (data.items.length > 0 || data.open_alerts > 0) && (
        <>
          <Section title="Open alerts">
            <Alerts state="open" />
          </Section>
          {data.items.map((monitor) => (
            <One key={monitor.name} monitor={monitor} />
          ))}
          <Section title="Past alerts">
            <Alerts state="past" />
          </Section>
        </>
      )}
    </Page>
  );
}

const said = (open: number) =>
  open === 0 ? 'no alert is open' : `${count(open)} open alert${open > 1 ? 's' : ''}`;

function One({ monitor }: { monitor: Monitor }) {
  return (
    <Section
      title={monitor.name}
      note={<code className={classes.filter}>{monitor.filter || 'every call'}</code>}
      aside={
        <Link to="/monitor/$name" params={{ name: monitor.name }} className={classes.link}>
          Open
        </Link>
      }
    >
      <Problem words={monitor.problem} />
      {monitor.scorers.length > 0 && <Scores monitor={monitor} />}
      {monitor.rules.length > 0 && (
        <Scroll label={`Rules of ${monitor.name}`}>
          <table className={`small-table ${classes.table}`}>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">State</th>
                <th scope="col">Now</th>
                <th scope="col">Course</th>
                <th scope="col">Bounds</th>
              </tr>
            </thead>
            <tbody>
              {monitor.rules.map((rule) => (
                <tr key={rule.name}>
                  <th scope="row">{measured(rule)}</th>
                  <td>
                    <StateOf state={rule.state} />
                    {rule.muted_ms > 0 && <span className="dim"> muted</span>}
                  </td>
                  <td className="num" title={rule.reading ? madeOf(rule, rule.reading) : undefined}>
                    {reading(rule, rule.reading)}
                  </td>
                  <td className={classes.spark}>
                    <Spark monitor={monitor.name} rule={rule} />
                  </td>
                  <td className="dim">{bounds(rule)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Section>
  );
}

/** What keeps a monitor from its work. */
export const Problem = ({ words }: { words: string }) =>
  words ? (
    <p className={classes.problem} role="status">
      {words}
    </p>
  ) : null;

/** How the scores of the last day came out. */
export function Scores({ monitor }: { monitor: Monitor }) {
  const outcomes = Object.entries(monitor.outcomes).filter(([, many]) => many);
  return (
    <p className={classes.words}>
      {monitor.scorers.map((scorer) => scorer.name).join(', ')}
      {monitor.share < 1 && ` on ${count(monitor.share * 100)} % of all traces`}
      {': '}
      {outcomes.length === 0
        ? 'no call was looked at in the last 24 hours'
        : `${outcomes.map(([name, many]) => `${count(many)} ${OUTCOMES[name] ?? name}`).join(', ')} in the last 24 hours`}
      {monitor.behind !== null && monitor.behind > 0 && `; ${count(monitor.behind)} traces are waiting`}
    </p>
  );
}
