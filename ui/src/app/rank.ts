/** Which things a query of the palette means, the best first. Pure. */

export interface Named {
  label?: string;
  description?: string;
  keywords?: string | string[];
}

/** How well a word fits: 4 is all of the name, 3 its beginning, 2 the beginning of a part, 1 within, 0 not. */
function grade(word: string, name: string): number {
  if (name === word) return 4;
  if (name.startsWith(word)) return 3;
  const at = name.indexOf(word);
  if (at < 0) return 0;
  return /[^\p{L}\p{N}]/u.test(name[at - 1] ?? ' ') ? 2 : 1;
}

/** 0: the query does not mean it. Every word must fit the name, or what else is said of it. */
export function score(query: string, thing: Named): number {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 0;
  const label = (thing.label ?? '').toLowerCase();
  const rest = [thing.description ?? '', ...[thing.keywords ?? []].flat()].join(' ').toLowerCase();
  let sum = grade(query.trim().toLowerCase(), label) * 4;
  for (const word of words) {
    const found = Math.max(grade(word, label) * 2, rest.includes(word) ? 1 : 0);
    if (found === 0) return 0;
    sum += found;
  }
  return sum / words.length;
}

/** Those that are meant, the best first; of equals the earlier one. */
export function ranked<T extends Named>(query: string, things: readonly T[]): T[] {
  return things
    .map((thing, place) => ({ thing, place, score: score(query, thing) }))
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map((one) => one.thing);
}
