/** Round numbers for a vertical axis that starts at zero. */

/** The axis's top and two to four ticks. `top` is at least the largest value; `whole` things have no halves. */
export function linear(
  max: number,
  format: (value: number) => string,
  { whole = false }: { whole?: boolean } = {},
): { top: number; ticks: { at: number; text: string }[] } {
  if (!(max > 0)) return { top: 1, ticks: [{ at: 0, text: '0' }] };
  const rough = max / 3;
  const size = 10 ** Math.floor(Math.log10(rough));
  const round = ([1, 2, 5, 10].find((each) => each * size >= rough) ?? 10) * size;
  const step = whole ? Math.max(1, round) : round;
  const top = Math.ceil(max / step - 1e-9) * step;
  const ticks: { at: number; text: string }[] = [];
  for (let at = 0; at <= top + step / 2; at += step)
    ticks.push({ at: at / top, text: at === 0 ? '0' : format(at) });
  return { top, ticks };
}

/** Powers of ten within edges that grow by a constant factor, and the place of each. */
export function logarithmic(
  low: number,
  high: number,
  format: (value: number) => string,
): { at: number; text: string }[] {
  const place = (value: number) => Math.log(value / low) / Math.log(high / low);
  const found: { at: number; text: string }[] = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.0001; power++) {
    found.push({ at: place(10 ** power), text: format(10 ** power) });
  }
  return found;
}

/** The value at a share of a logarithmic axis. */
export const unlog = (low: number, high: number, at: number) => low * (high / low) ** at;
