/** The horizontal axis of a parameter: numbers, evenly or by their logarithm, or values without an order. Pure. */
import { figure } from '../parts/format';

export type Axis =
  | { kind: 'number'; low: number; high: number; log: boolean; whole: boolean }
  | { kind: 'choice'; values: readonly string[] };

export interface Tick {
  at: number;
  text: string;
}

/** A number of a parameter in as few digits as tell it apart. */
export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  if (value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e6))
    return value.toExponential(1).replace('.0e', 'e').replace('e+', 'e').replace('e-', 'e−');
  return figure(value)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** The share of the width at which a value stands; null where it is none of this axis. */
export function placed(axis: Axis, value: unknown): number | null {
  if (axis.kind === 'choice') {
    const at = axis.values.indexOf(String(value));
    return at < 0 ? null : (at + 0.5) / axis.values.length;
  }
  if (typeof value !== 'number') return null;
  if (axis.low === axis.high) return 0.5;
  const at = axis.log
    ? Math.log(value / axis.low) / Math.log(axis.high / axis.low)
    : (value - axis.low) / (axis.high - axis.low);
  return at >= 0 && at <= 1 ? at : null;
}

/** Labels: every value of a choice, else the ends and what is round between them. */
export function ticks(axis: Axis, most = 5): Tick[] {
  if (axis.kind === 'choice')
    return axis.values.map((text, at) => ({ at: (at + 0.5) / axis.values.length, text }));
  const { low, high } = axis;
  if (low === high) return [{ at: 0.5, text: short(low) }];
  if (axis.log) {
    const found: Tick[] = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.0001; power++)
      found.push({ at: placed(axis, Math.min(high, 10 ** power)) ?? 0, text: short(10 ** power) });
    const every = Math.ceil(found.length / most);
    if (found.length > 1) return found.filter((_, at) => at % every === 0);
    return [
      { at: 0, text: short(low) },
      { at: 1, text: short(high) },
    ];
  }
  const rough = (high - low) / (most - 1);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    axis.whole ? 1 : 0,
    ([1, 2, 5, 10].find((each) => each * size >= rough - 1e-12) ?? 10) * size,
  );
  const found: Tick[] = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step)
    found.push({ at: (at - low) / (high - low), text: short(Number(at.toPrecision(12))) });
  return found;
}
