/**
 * The filter language as the page sees it: words that become chips, and text that stays. The server parses
 * and judges it; here it is only taken apart at white space (quotes hold) and put together again.
 */

export interface Term {
  text: string;
  /** The field's name; null: free text. */
  field: string | null;
  operator: string;
  value: string;
  negated: boolean;
}

const FIELD = /^(-?)([a-z_]+(?:[.:][\w.-]+?)?)(:|>=|<=|>|<|=)(.+)$/i;

/** The terms in order; an open quote reaches to the end. */
export function terms(text: string): Term[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '\\' && quoted && i + 1 < text.length) {
      word += char + text[++i];
    } else if (char === '"') {
      quoted = !quoted;
      word += char;
    } else if (/\s/.test(char) && !quoted) {
      if (word) words.push(word);
      word = '';
    } else {
      word += char;
    }
  }
  if (word) words.push(quoted ? `${word}"` : word);
  return words.map(term);
}

function term(text: string): Term {
  const found = text.startsWith('"') || text.startsWith('-"') ? null : FIELD.exec(text);
  if (!found) {
    const negated = text.startsWith('-') && text.length > 1;
    return { text, field: null, operator: '', value: unquote(negated ? text.slice(1) : text), negated };
  }
  const [, minus, field = '', operator = '', value = ''] = found;
  return { text, field: field.toLowerCase(), operator, value: unquote(value), negated: minus === '-' };
}

export const join = (found: readonly Term[]) => found.map((each) => each.text).join(' ');

export function quote(value: string): string {
  return value === '' || /^-|[\s"\\<>,:]/.test(value) ? `"${value.replace(/(["\\])/g, '\\$1')}"` : value;
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(["\\])/g, '$1')
    : value;
}

/** Values of `field:` that are asked for. */
export function chosen(text: string, field: string): string[] {
  return terms(text)
    .filter((each) => each.field === field && each.operator === ':' && !each.negated)
    .map((each) => each.value);
}

/** `field:value` added where it is absent, taken out where it is there. */
export function toggle(text: string, field: string, value: string): string {
  const all = terms(text);
  const rest = all.filter(
    (each) => !(each.field === field && each.operator === ':' && each.value === value && !each.negated),
  );
  return rest.length < all.length ? join(rest) : `${join(all)} ${field}:${quote(value)}`.trim();
}

/** Every term of `field` replaced by those given. */
export function replace(text: string, field: string, texts: readonly string[]): string {
  return [
    ...terms(text)
      .filter((each) => each.field !== field)
      .map((each) => each.text),
    ...texts,
  ].join(' ');
}

/** The text without the term at this place. */
export function without(text: string, index: number): string {
  return join(terms(text).filter((_, at) => at !== index));
}
