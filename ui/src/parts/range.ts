/** The page's range of time, as it stands in the URL: `from` and `to` as the API takes them. */

export interface Range {
  from: string;
  to: string;
}

export const PRESETS: readonly [from: string, label: string][] = [
  ['-15m', 'Last 15 minutes'],
  ['-1h', 'Last hour'],
  ['-6h', 'Last 6 hours'],
  ['-24h', 'Last 24 hours'],
  ['-7d', 'Last 7 days'],
  ['-30d', 'Last 30 days'],
];

const RELATIVE = /^-(\d{1,6})(s|m|h|d|w)$/;
const MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const WORDS = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' } as const;

/** Whether the range moves with the clock. */
export const isLive = (range: Range) => range.to === 'now';

/** Unix milliseconds; null where the text is no time. */
export function parseTime(text: string, now: number): number | null {
  if (text === 'now') return now;
  const found = RELATIVE.exec(text);
  if (found) return now - Number(found[1]) * MS[found[2] as keyof typeof MS];
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** Start and end in Unix milliseconds; the last hour where the URL makes no sense. */
export function bounds(range: Range, now: number): [number, number] {
  const start = parseTime(range.from, now);
  const end = parseTime(range.to, now);
  return start !== null && end !== null && start < end ? [start, end] : [now - MS.h, now];
}

/** The range that a drag on a chart asks for, at least a second long. */
export function zoomed(startMs: number, endMs: number): Range {
  const [low, high] = startMs < endMs ? [startMs, endMs] : [endMs, startMs];
  const from = Math.floor(low);
  return { from: String(from), to: String(Math.max(Math.ceil(high), from + 1000)) };
}

/** The same length, twice as long around its middle, but not beyond now. */
export function wider(range: Range, now: number): Range {
  const [start, end] = bounds(range, now);
  const half = (end - start) / 2;
  return { from: String(Math.floor(start - half)), to: String(Math.ceil(Math.min(end + half, now))) };
}

/** In words, for the button that opens the choice. */
export function label(range: Range, now: number): string {
  const found = RELATIVE.exec(range.from);
  if (range.to === 'now' && found) {
    const preset = PRESETS.find(([from]) => from === range.from);
    if (preset) return preset[1];
    const unit = WORDS[found[2] as keyof typeof WORDS];
    return found[1] === '1' ? `Last ${unit}` : `Last ${found[1]} ${unit}s`;
  }
  const [start, end] = bounds(range, now);
  const day = (ms: number) => new Date(ms).toLocaleDateString('en-US', { month: 'short', day: 'numeric' });
  const time = (ms: number) =>
    new Date(ms).toLocaleTimeString('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      ...(end - start < 600_000 ? { second: '2-digit' } : {}),
    });
  return day(start) === day(end)
    ? `${day(start)}, ${time(start)} – ${time(end)}`
    : `${day(start)} ${time(start)} – ${day(end)} ${time(end)}`;
}
