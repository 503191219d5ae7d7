/** Colours of series: the same name has the same colour on every page. */

/** Eight that colour-blind readers can tell apart; defined in tokens.css for light and dark. */
const SERIES = 8;

function hash(text: string): number {
  let found = 2166136261;
  for (let i = 0; i < text.length; i++) found = Math.imul(found ^ text.charCodeAt(i), 16777619);
  return found >>> 0;
}

/** The CSS variable of each name; where two would share a colour in one chart the later takes the next free one. */
export function seriesColours(names: readonly string[]): Map<string, string> {
  const taken = new Set<number>();
  const found = new Map<string, string>();
  for (const name of [...names].sort()) {
    let slot = hash(name) % SERIES;
    for (let tries = 0; tries < SERIES && taken.has(slot); tries++) slot = (slot + 1) % SERIES;
    taken.add(slot);
    found.set(name, `--n-s${slot + 1}`);
  }
  return found;
}

/** What a CSS variable stands for now; canvases cannot read variables. */
export const resolve = (variable: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

/** `#rrggbb` with an alpha. */
export function alpha(hex: string, share: number): string {
  return `${hex}${Math.round(share * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
