/** Up to four models, what is stated and what was measured, one a column; the best of a row is marked. */
import { CloseButton } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { count, duration, money, parameters, percent } from '../../parts/format';
import classes from './Models.module.css';
import { perMillion } from './price';

type Model = Schemas['ModelBody'];

interface Row {
  name: string;
  say: (model: Model) => string;
  /** Where one is better than another, and in which direction. */
  value?: (model: Model) => number | null;
  better?: 'low' | 'high';
}

const STATED: Row[] = [
  { name: 'Licence', say: (model) => model.card.licence?.name ?? 'not stated' },
  { name: 'Parameters', say: (model) => parameters(model.card.parameters) },
  {
    name: 'Context',
    say: (model) => count(model.card.context),
    value: (model) => model.card.context,
    better: 'high',
  },
  { name: '$ per 1M in → out', say: (model) => perMillion(model.price) },
  {
    name: 'Can',
    say: (model) => model.card.capabilities.map((each) => each.replace(/_/g, ' ')).join(', ') || '–',
  },
  { name: 'Status', say: (model) => model.card.status },
];

const MEASURED: Row[] = [
  { name: 'Calls', say: (model) => count(model.measured.calls) },
  {
    name: 'Errors',
    say: (model) => (model.measured.calls ? percent(model.measured.errors / model.measured.calls) : '–'),
    value: (model) => (model.measured.calls ? model.measured.errors / model.measured.calls : null),
    better: 'low',
  },
  {
    name: 'Latency p50',
    say: (model) => duration(model.measured.p50_ms),
    value: (model) => model.measured.p50_ms,
    better: 'low',
  },
  {
    name: 'Latency p95',
    say: (model) => duration(model.measured.p95_ms),
    value: (model) => model.measured.p95_ms,
    better: 'low',
  },
  {
    name: 'First token p50',
    say: (model) => duration(model.measured.first_token_p50_ms),
    value: (model) => model.measured.first_token_p50_ms,
    better: 'low',
  },
  {
    name: 'Tokens/s',
    say: (model) => count(model.measured.tokens_per_s),
    value: (model) => model.measured.tokens_per_s,
    better: 'high',
  },
  {
    name: 'Cost a call',
    say: (model) =>
      model.measured.calls > model.measured.unknown_cost
        ? money(Number(model.measured.cost) / (model.measured.calls - model.measured.unknown_cost))
        : model.measured.calls
          ? 'unknown'
          : '–',
  },
];

function best(row: Row, models: readonly Model[]): string | null {
  if (!row.value || !row.better) return null;
  const found = models
    .map((model) => ({ id: model.id, value: row.value?.(model) ?? null }))
    .filter((each): each is { id: string; value: number } => each.value !== null)
    .sort((a, b) => (row.better === 'low' ? a.value - b.value : b.value - a.value));
  return found.length > 1 && found[0]?.value !== found[1]?.value ? (found[0]?.id ?? null) : null;
}

export function Compare({ models, onClose }: { models: readonly Model[]; onClose: () => void }) {
  const group = (title: string, rows: readonly Row[]) => (
    <tbody>
      <tr>
        <th scope="colgroup" colSpan={models.length + 1} className={classes.group}>
          {title}
        </th>
      </tr>
      {rows.map((row) => {
        const winner = best(row, models);
        return (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            {models.map((model) => (
              <td key={model.id} className="num" data-best={model.id === winner || undefined}>
                {row.say(model)}
                {model.id === winner && <span className={classes.best}> best</span>}
              </td>
            ))}
          </tr>
        );
      })}
    </tbody>
  );
  return (
    <section className={classes.compare} aria-label="Comparison">
      <CloseButton className={classes.close} aria-label="End the comparison" onClick={onClose} />
      <table>
        <thead>
          <tr>
            <td />
            {models.map((model) => (
              <th key={model.id} scope="col">
                {model.id}
              </th>
            ))}
          </tr>
        </thead>
        {group('Stated', STATED)}
        {group('Measured', MEASURED)}
      </table>
    </section>
  );
}
