/** A study as the page draws it. Pure. */
import type { Parameter, Study, Trial } from '../../api/studies';
import { type Axis, short } from '../../charts/axis';
import type { Tone } from '../../parts/Status';

export const TONES: Record<Study['state'] | Trial['state'], Tone> = {
  queued: 'none',
  running: 'none',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
  pruned: 'none',
};

/** What has become of a trial. */
export function word(trial: Trial): string {
  return trial.state === 'pruned' ? 'given up' : trial.state;
}

export function axisOf(parameter: Parameter): Axis {
  return parameter.type === 'choice'
    ? { kind: 'choice', values: parameter.values.map(String) }
    : {
        kind: 'number',
        low: parameter.low,
        high: parameter.high,
        log: parameter.log ?? false,
        whole: parameter.type === 'int',
      };
}

/** A parameter's bounds in words. */
export function bounds(parameter: Parameter): string {
  if (parameter.type === 'choice') return parameter.values.map(String).join(', ');
  const log = parameter.log ? ', by its logarithm' : '';
  return `${short(parameter.low)} to ${short(parameter.high)}${log}`;
}

export const said = (value: unknown): string =>
  typeof value === 'number' ? short(value) : value === null || value === undefined ? '–' : String(value);

export const valuesOf = (trial: Trial): string =>
  Object.entries(trial.values)
    .map(([name, value]) => `${name} ${said(value)}`)
    .join(', ');

/** What is known of a trial's value: of one that was given up, the last that it reported. */
export const reached = (trial: Trial): number | null => trial.value ?? trial.steps.at(-1)?.value ?? null;

/** The ends of the values that trials have, with a little room. */
export function rangeOf(trials: readonly Trial[]): [number, number] {
  const values = trials.flatMap((trial) => reached(trial) ?? []);
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high <= 1 ? Math.min(1, high + pad) : high + pad];
}

/** The best so far, each time that it changed; only whole trials count. */
export function record(
  trials: readonly Trial[],
  better: Study['better'],
): { x: number; y: number; trial: number }[] {
  const found: { x: number; y: number; trial: number }[] = [];
  for (const trial of trials) {
    if (trial.state !== 'done' || trial.value === null) continue;
    const last = found.at(-1)?.y;
    if (last === undefined || (better === 'higher' ? trial.value > last : trial.value < last))
      found.push({ x: trial.number, y: trial.value, trial: trial.number });
  }
  return found;
}
