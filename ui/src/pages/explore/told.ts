/** What an exploration comes to, as the page reads it. Pure. */
import type { Candidate, Exploration, Findings, Way } from '../../api/explorations';
import { money } from '../../parts/format';
import type { Tone } from '../../parts/Status';

export const STATES: Record<Exploration['state'], Tone> = {
  queued: 'none',
  running: 'none',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
};

export const FEASIBLE: Record<Findings['feasible'], Tone> = {
  feasible: 'good',
  'not feasible': 'bad',
  'not told': 'warn',
};

export const ANSWERS: Record<'yes' | 'no' | 'not told' | 'for' | 'against', Tone> = {
  yes: 'good',
  no: 'bad',
  'not told': 'none',
  for: 'good',
  against: 'none',
};

const STANDINGS: Record<Way['place']['standing'], Tone> = {
  front: 'good',
  dominated: 'bad',
  'not told apart': 'none',
  'not placed': 'warn',
};

export const nameOf = (way: Pick<Way, 'model' | 'way'>) => `${way.model}, ${way.way}`;

/** Where a way stands, beside whom. */
export function standing(way: Way, all: readonly Way[]): { tone: Tone; word: string; hint: string } {
  const { standing: where, by, why } = way.place;
  const other = by === null ? undefined : all[by];
  const tone = STANDINGS[where];
  if (!way.run) return { tone: 'warn', word: 'not run', hint: way.message };
  if (!way.whole)
    return { tone: 'warn', word: way.state === 'done' ? 'not to be trusted' : way.state, hint: way.message };
  if (where === 'front') return { tone, word: 'on the front', hint: 'no other looks as good in everything' };
  if (!other) return { tone, word: where, hint: why };
  const words = where === 'dominated' ? 'dominated by' : 'not told apart from';
  return { tone, word: `${words} ${nameOf(other)}`, hint: why };
}

/** Of a model the way with the best quality by its estimate; where none is measured, the first. */
export function bestOf(model: string, ways: readonly Way[]): Way | null {
  const mine = ways.filter((way) => way.model === model && way.run);
  const value = (way: Way) =>
    (way.better === 'lower' ? -1 : 1) * (way.quality?.estimate ?? Number.NEGATIVE_INFINITY);
  return mine.reduce<Way | null>((best, way) => (best && value(best) >= value(way) ? best : way), null);
}

/** US dollars for a million tokens, in and out. */
export function priceOf(facts: Candidate['facts'][number]): string {
  if (facts.price_input === null || facts.price_output === null) return 'not known';
  if (Number(facts.price_input) === 0 && Number(facts.price_output) === 0) return 'free';
  return `${money(facts.price_input)} → ${money(facts.price_output)}`;
}
