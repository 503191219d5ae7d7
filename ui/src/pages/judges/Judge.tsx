/** One judge against people's labels: agreement, errors, biases, and the bar that it must reach. */
import { Autocomplete, Button, Modal, NumberInput } from '@mantine/core';
import { IconArrowLeft, IconRulerMeasure } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ask } from '../../api/client';
import { datasetsQuery } from '../../api/datasets';
import { type Calibration, calibrationsQuery, type Judge, judgeQuery } from '../../api/judges';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Matrix } from '../../charts/Matrix';
import { type Bin, Reliability } from '../../charts/Reliability';
import { type Doubtful, Estimate } from '../../parts/Estimate';
import { Failure } from '../../parts/Failure';
import { count, percent } from '../../parts/format';
import { Page, Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import { AGREEMENT } from './Judges';
import classes from './Judges.module.css';
import { Stand } from './Stand';

export function JudgePage() {
  const { name } = useParams({ from: '/shell/judges/$name' });
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { calibration?: string };
  const set = useSetSearch();
  const may = useRole();
  const [asking, setAsking] = useState(false);
  const { data: judge, error, refetch } = useQuery(judgeQuery(project, name));
  const runs = useQuery(calibrationsQuery(project, name)).data?.items ?? [];
  const run = runs.find((one) => one.id === search.calibration) ?? judge?.calibration ?? null;
  const back = (
    <Link to="/judges">
      <IconArrowLeft size={14} /> Judges
    </Link>
  );
  return (
    <Page
      title={name}
      back={back}
      note={
        judge && (
          <span className={classes.stand}>
            may decide: <Stand judge={judge} />
          </span>
        )
      }
      aside={
        may('editor') && (
          <Button leftSection={<IconRulerMeasure size={14} stroke={1.6} />} onClick={() => setAsking(true)}>
            Calibrate
          </Button>
        )
      }
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {judge && (
        <>
          <Section title="May it decide?">
            <p className={classes.reason} data-verdict={judge.gate.verdict}>
              {judge.gate.reason}
            </p>
            {!judge.current && judge.calibration && (
              <p className={classes.words}>
                The newest calibration is of what bore this name before: its prompt, model, rubric or scale
                has changed since.
              </p>
            )}
            <dl className={classes.facts}>
              {Object.entries(judge.arguments).map(([key, value]) => (
                <div key={key}>
                  <dt>{key}</dt>
                  <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
                </div>
              ))}
              <div>
                <dt>Identity</dt>
                <dd>{judge.identity ? <Id value={judge.identity} short={18} /> : 'not to be found'}</dd>
              </div>
            </dl>
          </Section>
          {run?.measured ? (
            <Measured judge={judge} measured={run.measured} />
          ) : (
            <Section title="Calibration">
              <p className={classes.words}>
                {run?.state === 'running'
                  ? 'The judge is being asked about the labelled answers.'
                  : run?.state === 'failed'
                    ? run.message
                    : 'It has never been held against labels. Calibrate it with a dataset whose examples have an answer and a label in their metadata.'}
              </p>
            </Section>
          )}
          <Section title="Calibrations">
            <table className={`small-table ${classes.table}`}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Labels</th>
                  <th scope="col">State</th>
                  <th scope="col">κ</th>
                  <th scope="col">By</th>
                </tr>
              </thead>
              <tbody>
                {runs.map((one) => (
                  <tr key={one.id} data-here={one.id === run?.id || undefined}>
                    <th scope="row">
                      <button
                        type="button"
                        className={classes.link}
                        onClick={() => set({ calibration: one.id })}
                      >
                        <When ms={one.created_ms} />
                      </button>
                    </th>
                    <td>
                      <Link to="/datasets/$name" params={{ name: one.dataset }} className={classes.link}>
                        {one.dataset}@{one.version}
                        {one.split && `:${one.split}`}
                      </Link>
                    </td>
                    <td>
                      <Status
                        tone={one.state === 'done' ? 'good' : one.state === 'failed' ? 'bad' : 'none'}
                        word={one.state}
                        hint={one.message || undefined}
                      />
                    </td>
                    <td>
                      <Estimate of={one.measured?.kappa} domain={AGREEMENT} noun="answers" />
                    </td>
                    <td className="dim">{one.by_name || one.by}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Section>
        </>
      )}
      {asking && <Calibrate name={name} onClose={() => setAsking(false)} />}
    </Page>
  );
}

interface Line {
  name: string;
  found: Doubtful | null;
  domain: readonly [number, number];
  bar?: string | null;
  says: string;
}

function Measured({ judge, measured }: { judge: Judge; measured: Calibration }) {
  const { bar } = judge;
  const least = (value: number | null | undefined) =>
    value === null || value === undefined ? null : `at least ${value}`;
  const share = [0, 1] as const;
  const agreement: Line[] = [
    {
      name: "Cohen's κ",
      found: measured.kappa,
      domain: AGREEMENT,
      bar: least(bar?.kappa),
      says: 'agreement with people beyond chance',
    },
    {
      name: "Krippendorff's α",
      found: measured.alpha,
      domain: AGREEMENT,
      bar: least(bar?.alpha),
      says: 'the same, for any scale',
    },
    {
      name: 'True positives',
      found: measured.true_positive,
      domain: share,
      bar: least(bar?.true_positive),
      says: 'of what people call yes, it calls yes',
    },
    {
      name: 'False positives',
      found: measured.false_positive,
      domain: share,
      bar:
        bar?.false_positive === null || bar?.false_positive === undefined
          ? null
          : `at most ${bar.false_positive}`,
      says: 'of what people call no, it calls yes',
    },
  ];
  const bias: Line[] = [
    {
      name: 'Longer answers',
      found: measured.length_bias,
      domain: AGREEMENT,
      says: 'above zero: it favours length',
    },
    {
      name: 'First place',
      found: measured.first_place,
      domain: share,
      says: 'of pairs it prefers the first; ½ is fair',
    },
    {
      name: 'Both orders agree',
      found: measured.consistent,
      domain: share,
      bar: least(bar?.consistent),
      says: 'of pairs, asked in both orders',
    },
    {
      name: 'Noise',
      found: measured.noise,
      domain: share,
      says: 'how often it says another thing when asked again',
    },
  ];
  const bins = reliability(measured);
  return (
    <>
      <Section
        title="Agreement with people"
        note={`${count(measured.n)} labelled answers${measured.failed > 0 ? `, ${count(measured.failed)} without a verdict` : ''}`}
      >
        <Lines lines={agreement} />
        {measured.failed > 0 && (
          <p className={classes.words}>
            {percent(measured.failed / (measured.n + measured.failed))} gave no verdict
            {bar && ` (at most ${percent(bar.failed)} may)`}:{' '}
            {Object.entries(measured.reasons)
              .map(([why, times]) => `${count(times)} × ${why}`)
              .join('; ')}
          </p>
        )}
      </Section>
      <div className={classes.halves}>
        <div className={classes.half}>
          <Matrix title="Labels and verdicts" table={measured.table} rows="People" columns="The judge" />
        </div>
        {bins.length > 1 && (
          <div className={classes.half}>
            <Reliability title="Reliability" bins={bins} name="Verdict" />
          </div>
        )}
      </div>
      <Section title="Biases">
        <Lines lines={bias} />
      </Section>
    </>
  );
}

function Lines({ lines }: { lines: readonly Line[] }) {
  return (
    <table className={`small-table ${classes.table}`}>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col">With 95 % interval</th>
          <th scope="col">The bar</th>
          <th scope="col">What it says</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ name, found, domain, bar, says }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {found ? (
                <Estimate of={found} domain={domain} noun="answers" />
              ) : (
                <span className="dim">does not apply</span>
              )}
            </td>
            <td className="num">{bar ?? <span className="dim">none</span>}</td>
            <td className="dim">{says}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Of verdicts that are numbers beside labels of yes and no: how often each was a yes. */
export function reliability({ table }: Pick<Calibration, 'table'>): Bin[] {
  const labels = Object.keys(table);
  const verdicts = [...new Set(Object.values(table).flatMap((row) => Object.keys(row)))];
  if (!labels.includes('yes') || !verdicts.every((verdict) => Number.isFinite(Number(verdict)))) return [];
  return verdicts
    .map((verdict) => ({
      value: Number(verdict),
      hits: table.yes?.[verdict] ?? 0,
      of: labels.reduce((sum, label) => sum + (table[label]?.[verdict] ?? 0), 0),
    }))
    .sort((a, b) => a.value - b.value);
}

function Calibrate({ name, onClose }: { name: string; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const datasets = useInfiniteQuery(datasetsQuery(project, ''));
  const [dataset, setDataset] = useState('');
  const [repeats, setRepeats] = useState(1);
  const begin = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/judges/{name}/calibrations', {
          params: { path: { name }, query: { project } },
          body: { dataset: dataset.trim(), repeats },
        }),
      ),
    onSuccess: async () => {
      await Promise.all(
        ['judges', 'judge', 'calibrations'].map((key) => cache.invalidateQueries({ queryKey: [key] })),
      );
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Calibrate ${name}`}>
      <form
        className={classes.form}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          begin.mutate();
        }}
      >
        <Autocomplete
          label="Labelled answers"
          description="A dataset whose examples have an answer and people's label in their metadata"
          required
          data-autofocus
          data={datasets.data?.items.map((one) => one.name) ?? []}
          value={dataset}
          onChange={setDataset}
        />
        <NumberInput
          label="Ask the first 50 so often"
          description="More than once shows the judge's own noise"
          min={1}
          max={10}
          allowDecimal={false}
          value={repeats}
          onChange={(value) => setRepeats(typeof value === 'number' ? value : 1)}
        />
        {begin.error && (
          <p className={classes.wrong} role="alert">
            {begin.error.message}
          </p>
        )}
        <Button type="submit" loading={begin.isPending} disabled={!dataset.trim()}>
          Begin
        </Button>
      </form>
    </Modal>
  );
}
