/** Figures as a person would say them. Pure; every page uses these and nothing else. */

const NBSP = '\u00a0';

/** Three significant digits at most, without trailing zeros beyond the point where they say nothing. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

/** Milliseconds in the unit a person would say. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms === 0) return `0${NBSP}ms`;
  if (ms < 0.9995) return `${digits(ms * 1000)}${NBSP}µs`;
  if (ms < 999.5) return `${digits(ms)}${NBSP}ms`;
  if (ms < 59_950) return `${digits(ms / 1000)}${NBSP}s`;
  const minutes = Math.floor(Math.round(ms / 1000) / 60);
  if (minutes < 60) return `${minutes}${NBSP}m${NBSP}${Math.round(ms / 1000) - minutes * 60}${NBSP}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}${NBSP}h${NBSP}${minutes - hours * 60}${NBSP}m`;
  return `${Math.floor(hours / 24)}${NBSP}d${NBSP}${hours % 24}${NBSP}h`;
}

/** A decimal string of US dollars to the cent that matters; null is unknown, never zero. */
export function money(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return 'unknown';
  const amount = Number(value);
  const size = Math.abs(amount);
  const sign = amount < 0 ? '−' : '';
  if (size === 0) return '$0';
  if (size >= 1000) return `${sign}$${Math.round(size).toLocaleString('en-US')}`;
  if (size >= 1) return `${sign}$${size.toFixed(2)}`;
  if (size < 1e-9) return `${sign}<$0.000000001`;
  const places = Math.min(10, 1 - Math.floor(Math.log10(size)));
  return `${sign}$${size.toFixed(places).replace(/0+$/, '').replace(/\.$/, '')}`;
}

/** A score: as many places as its doubt leaves meaning to, at least two below one hundred. */
export function figure(value: number, half: number | null = null): string {
  const size = Math.abs(value);
  const doubt = half === null || half === 0 ? 2 : 1 - Math.floor(Math.log10(half));
  const most = size >= 100 ? 0 : size >= 10 ? 1 : 4;
  const places = Math.min(most, Math.max(most === 4 ? 2 : 0, doubt - 1));
  const text = size.toFixed(places);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A difference: always with its sign. */
export const signed = (value: number, half: number | null = null) =>
  value > 0 && !/^0(\.0*)?$/.test(figure(value, half)) ? `+${figure(value, half)}` : figure(value, half);

/** A probability of an error. */
export const pValue = (p: number | null) =>
  p === null ? '–' : p < 0.001 ? '<0.001' : p.toFixed(p < 0.1 ? 3 : 2);

/** A count, shortened from ten thousand on. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size < 10_000) return Math.round(value).toLocaleString('en-US');
  if (size < 999_500) return `${digits(value / 1000)}k`;
  if (size < 999_500_000) return `${digits(value / 1e6)}M`;
  return `${digits(value / 1e9)}G`;
}

export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return '–';
  if (perSecond === 0) return `0${NBSP}/s`;
  if (perSecond < 0.1) return `${digits(perSecond * 60)}${NBSP}/min`;
  return `${digits(perSecond)}${NBSP}/s`;
}

/** A share between 0 and 1. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–';
  const value = share * 100;
  if (value === 0 || value === 100) return `${value}${NBSP}%`;
  if (value < 0.01) return `<0.01${NBSP}%`;
  if (value > 99.9 && value < 100) return `${(Math.floor(value * 100) / 100).toFixed(2)}${NBSP}%`;
  return `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : value.toFixed(value < 99 ? 0 : 1)}${NBSP}%`;
}

export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return '–';
  if (size < 1000) return `${size}${NBSP}B`;
  const steps: [number, string][] = [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ];
  const [unit, name] = steps.find(([at]) => size >= at) ?? [1, 'B'];
  return `${digits(size / unit)}${NBSP}${name}`;
}

/** Parameters of a model: 135 M, 7.2 B. */
export function parameters(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value >= 1e9 ? `${digits(value / 1e9)}${NBSP}B` : `${digits(value / 1e6)}${NBSP}M`;
}

/** How long ago, in one unit. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000);
  const future = seconds < 0;
  const size = Math.abs(seconds);
  const said =
    size < 5
      ? 'now'
      : size < 60
        ? `${size}${NBSP}s`
        : size < 3600
          ? `${Math.round(size / 60)}${NBSP}min`
          : size < 86_400
            ? `${Math.round(size / 3600)}${NBSP}h`
            : `${Math.round(size / 86_400)}${NBSP}d`;
  if (said === 'now') return said;
  return future ? `in ${said}` : `${said} ago`;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

/** Local time, exact: 2026-11-24 09:14:05.123. */
export function exact(ms: number): string {
  const at = new Date(ms);
  return (
    `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ` +
    `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`
  );
}

/** Local time, as short as the span of time that is shown allows. */
export function clock(ms: number, spanMs: number): string {
  const at = new Date(ms);
  const day = `${at.toLocaleString('en-US', { month: 'short' })} ${at.getDate()}`;
  if (spanMs > 5 * 86_400_000) return day;
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (spanMs > 7_200_000 && time === '00:00') return day;
  if (spanMs > 2 * 86_400_000) return `${day} ${time}`;
  return spanMs < 5 * 60_000 ? `${time}:${pad(at.getSeconds())}` : time;
}

/** Wilson's interval of a share at 95 %, (low, high); null where nothing was counted. */
export function wilson(hits: number, of: number): [number, number] | null {
  if (of <= 0) return null;
  const z = 1.959964;
  const share = hits / of;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The change from one figure to another, in words; null where it cannot be said. */
export function change(now: number | null | undefined, before: number | null | undefined): string | null {
  if (now === null || now === undefined || before === null || before === undefined || before === 0)
    return null;
  const share = now / before - 1;
  if (Math.abs(share) < 0.005) return 'same';
  if (share > 9) return `×${digits(now / before)}`;
  const size = Math.abs(share) * 100;
  return `${share > 0 ? '+' : '−'}${size < 10 ? digits(Number(size.toPrecision(1))) : Math.round(size)}${NBSP}%`;
}
