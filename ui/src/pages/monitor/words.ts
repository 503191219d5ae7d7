/** How states, values and bounds of rules are said. Pure. */
import type { Reading, Rule, State } from '../../api/monitors';
import { count, duration, figure, money, percent } from '../../parts/format';
import type { Tone } from '../../parts/Status';

export const WORDS: Record<State, string> = {
  ok: 'ok',
  warning: 'warning',
  alert: 'alert',
  no_data: 'no data',
};

/** The length of a rule's window: whole hours and minutes are said without what they lack. */
export const span = (seconds: number) =>
  duration(seconds * 1000).replace(/\u00a0(m|h)\u00a00\u00a0(s|m)$/, '\u00a0$1');

export const TONES: Record<State, Tone> = { ok: 'good', warning: 'warn', alert: 'bad', no_data: 'none' };

export const OUTCOMES: Record<string, string> = {
  scored: 'scored',
  failed: 'failed',
  limited: 'over the limit',
  no_payload: 'not recorded',
  no_answer: 'no answer',
};

/** A value in the unit of its rule. */
export function inUnit(unit: Rule['unit'], value: number): string {
  if (unit === 'share') return percent(value);
  if (unit === 'seconds') return duration(value * 1000);
  return unit === 'dollars' ? money(value) : figure(value);
}

/** What is measured, as people say it. */
export function measured(rule: Pick<Rule, 'measure' | 'scorer'>): string {
  if (rule.measure === 'score') return rule.scorer;
  const said: Record<string, string> = {
    error_rate: 'Errors',
    latency_p50: 'Latency p50',
    latency_p95: 'Latency p95',
    latency_p99: 'Latency p99',
    cost_per_call: 'Cost of a call',
    cost_per_hour: 'Cost of an hour',
    cost_per_day: 'Cost of a day',
    refusal_rate: 'Refusals',
  };
  return said[rule.measure] ?? rule.measure;
}

export function bounds(rule: Rule): string {
  const stated = [
    ['warning', rule.warn],
    ['alert', rule.alert],
  ] as const;
  return stated
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${rule.direction} ${inUnit(rule.unit, value ?? 0)}`)
    .join(', ');
}

/** A value with its interval, and what it is made of. */
export function reading(rule: Rule, found: Reading | null): string {
  if (!found || found.value === null) return 'nothing measured';
  const doubt =
    found.low === null || found.high === null
      ? ''
      : ` (${inUnit(rule.unit, found.low)} to ${inUnit(rule.unit, found.high)})`;
  const bare = `${inUnit(rule.unit, found.value)}${doubt}`;
  return found.unknown > 0 ? `${bare} or more` : bare;
}

const scored = (rule: Pick<Rule, 'measure'>) => rule.measure === 'score' || rule.measure === 'refusal_rate';

/** Of how many calls or scores. */
export function madeOf(
  rule: Pick<Rule, 'measure'>,
  found: Pick<Reading, 'n' | 'failed' | 'unknown'>,
): string {
  const more = [
    found.failed > 0 ? `${count(found.failed)} failed` : '',
    found.unknown > 0 ? `${count(found.unknown)} of unknown cost` : '',
  ].filter(Boolean);
  const said = `${count(found.n)} ${scored(rule) ? 'scores' : 'calls'}`;
  return more.length > 0 ? `${said}, ${more.join(', ')}` : said;
}
