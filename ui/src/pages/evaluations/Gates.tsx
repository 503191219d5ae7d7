/** What releases must pass, and what the newest runs say of it now. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Answer } from '../../api/client';
import { checkedQuery, gatesQuery } from '../../api/evals';
import { useScope } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { Status } from '../../parts/Status';
import classes from './Evaluations.module.css';
import { VERDICTS } from './quality';

type Gate = Answer<'/api/evals/gates'>['items'][number];

export function Gates() {
  return (
    <div className={classes.section}>
      <GateList />
    </div>
  );
}

/** All gates on the newest run of each; with `run` those of its evaluation, on that run. */
export function GateList({ only, run = null }: { only?: string; run?: string | null }) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(gatesQuery(project));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={80} />;
  const gates = data.items.filter((gate) => only === undefined || gate.eval === only);
  if (gates.length === 0) {
    return only === undefined ? (
      <Empty title="No gate is configured">
        A gate holds back a release until an evaluation shows what it asks: write [gates.NAME] in noria.toml,
        and name it under [prompts.labels.production].
      </Empty>
    ) : (
      <p className={classes.words}>No gate looks at this evaluation.</p>
    );
  }
  return gates.map((gate) => <GateView key={gate.name} gate={gate} run={run} />);
}

function GateView({ gate, run }: { gate: Gate; run: string | null }) {
  const { project } = useScope();
  const { data, error } = useQuery(checkedQuery(project, gate.name, run));
  const looked = data?.evidence.run;
  return (
    <section className={classes.gate} aria-label={`Gate ${gate.name}`}>
      <header>
        <h2>{gate.name}</h2>
        {data ? <Status tone={VERDICTS[data.verdict] ?? 'none'} word={data.verdict} /> : null}
        <span className="dim">looks at {gate.eval}</span>
        {looked && !run && (
          <Link to="/evaluations/$id" params={{ id: looked } as never} className={classes.cellLink}>
            the run that it looked at
          </Link>
        )}
      </header>
      {error && <p className={classes.words}>{error.message}</p>}
      {data && data.conditions.length === 0 && <p className={classes.words}>{data.reason}</p>}
      <ul className={classes.conditions}>
        {data
          ? data.conditions.map((one) => (
              <li key={one.condition}>
                <Status tone={VERDICTS[one.verdict] ?? 'none'} word={one.verdict} />
                <b className={classes.name}>{one.condition}</b>
                <span className="dim">{one.reason}</span>
              </li>
            ))
          : gate.conditions.map((one) => (
              <li key={one}>
                <Skeleton height={10} width={60} />
                <b className={classes.name}>{one}</b>
              </li>
            ))}
      </ul>
    </section>
  );
}
