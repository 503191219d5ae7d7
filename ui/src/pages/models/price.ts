import type { Schemas } from '../../api/client';

/** Dollars for a million tokens, in and out; a missing price is said to be unknown. */
export function perMillion(price: Schemas['PriceBody'] | null): string {
  if (!price || (price.input === null && price.output === null)) return 'unknown';
  if (Number(price.input) === 0 && Number(price.output ?? 0) === 0) return 'free';
  const say = (amount: string | null) => (amount === null ? '?' : String(Number(amount)));
  return `${say(price.input)} → ${say(price.output)}`;
}
