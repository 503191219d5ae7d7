/** Examples as text. Pure. */
import type { Example } from '../../api/datasets';

/** One line of a value, however long it is. */
export function brief(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, 300).replace(/\s+/g, ' ');
}

/** Names of the inputs' fields, in the order in which they are met. */
export const fieldsOf = (rows: readonly Pick<Example, 'input'>[]): string[] => [
  ...new Set(rows.flatMap((row) => Object.keys(row.input))),
];

export const pretty = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2);

/** A text as JSON where it is some; else the text itself. */
export function parsed(text: string): unknown {
  if (!/^\s*([[{"]|-?\d|true\b|false\b|null\b)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
