/**
 * The turns of a conversation, out of what was sent and answered in any of the dialects: OpenAI chat and
 * responses, Anthropic messages, and the OpenTelemetry GenAI form. Pure; null where there is none to be seen.
 */

import { assemble } from '../../parts/sse';

export interface Part {
  kind: 'text' | 'reasoning' | 'tool call' | 'tool result' | 'image' | 'file' | 'refusal';
  text: string;
  name?: string;
}

export interface Turn {
  role: string;
  parts: Part[];
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const str = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value, null, 2);

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function conversation(text: string | null | undefined, role: 'user' | 'assistant'): Turn[] | null {
  if (!text) return null;
  const stream = assemble(text);
  if (stream) {
    const found: Part[] = [];
    if (stream.reasoning) found.push({ kind: 'reasoning', text: stream.reasoning });
    if (stream.text) found.push({ kind: 'text', text: stream.text });
    for (const tool of stream.tools)
      found.push({ kind: 'tool call', name: tool.name, text: pretty(tool.arguments) });
    return found.length > 0 ? [{ role, parts: found }] : null;
  }
  const value = parse(text);
  if (value === undefined || typeof value === 'string' || typeof value === 'number') {
    return [{ role, parts: [{ kind: 'text', text: typeof value === 'string' ? value : text }] }];
  }
  const turns = of(value, role);
  return turns.length > 0 ? turns : null;
}

function of(value: unknown, role: string): Turn[] {
  if (Array.isArray(value)) return value.flatMap((each) => turn(each, role));
  if (!isObject(value)) return [];
  const system = 'system' in value ? [{ role: 'system', parts: parts(value.system) }] : [];
  const instructions = typeof value.instructions === 'string' ? [text('system', value.instructions)] : [];
  if (Array.isArray(value.messages))
    return [...system, ...value.messages.flatMap((each) => turn(each, role))];
  if ('input' in value) {
    const turns = typeof value.input === 'string' ? [text('user', value.input)] : of(value.input, 'user');
    return [...instructions, ...turns];
  }
  if (Array.isArray(value.choices)) {
    return value.choices.flatMap((choice) => {
      if (!isObject(choice)) return [];
      return typeof choice.text === 'string'
        ? [text('assistant', choice.text)]
        : turn(choice.message, 'assistant');
    });
  }
  if (Array.isArray(value.output)) return value.output.flatMap((each) => turn(each, 'assistant'));
  if (typeof value.prompt === 'string') return [text('user', value.prompt)];
  return turn(value, role);
}

const text = (role: string, words: string): Turn => ({ role, parts: [{ kind: 'text', text: words }] });

function turn(value: unknown, role: string): Turn[] {
  if (typeof value === 'string') return [text(role, value)];
  if (!isObject(value)) return [];
  if (value.type === 'function_call') {
    return [
      {
        role: 'assistant',
        parts: [{ kind: 'tool call', name: str(value.name), text: pretty(value.arguments) }],
      },
    ];
  }
  if (value.type === 'function_call_output') {
    return [{ role: 'tool', parts: [{ kind: 'tool result', text: str(value.output) }] }];
  }
  if (value.type === 'reasoning') {
    return [
      { role: 'assistant', parts: parts(value.summary).map((part) => ({ ...part, kind: 'reasoning' })) },
    ];
  }
  const found: Part[] = [];
  const thought = value.reasoning_content ?? value.reasoning;
  if (typeof thought === 'string' && thought) found.push({ kind: 'reasoning', text: thought });
  found.push(...parts(value.parts ?? value.content));
  if (typeof value.refusal === 'string' && value.refusal)
    found.push({ kind: 'refusal', text: value.refusal });
  if (Array.isArray(value.tool_calls)) {
    for (const call of value.tool_calls) {
      const made = isObject(call) && isObject(call.function) ? call.function : isObject(call) ? call : {};
      found.push({ kind: 'tool call', name: str(made.name), text: pretty(made.arguments) });
    }
  }
  if (found.length === 0) return [];
  if (value.role === 'tool') {
    return [{ role: 'tool', parts: found.map((part) => ({ ...part, kind: 'tool result' as const })) }];
  }
  return [{ role: typeof value.role === 'string' ? value.role : role, parts: found }];
}

function parts(content: unknown): Part[] {
  if (typeof content === 'string') return content ? [{ kind: 'text', text: content }] : [];
  if (!Array.isArray(content)) return [];
  return content.flatMap((each): Part[] => {
    if (typeof each === 'string') return [{ kind: 'text', text: each }];
    if (!isObject(each)) return [];
    const words = str(each.text ?? each.content);
    switch (each.type) {
      case 'thinking':
      case 'reasoning':
        return [{ kind: 'reasoning', text: str(each.thinking ?? each.text ?? each.content) }];
      case 'tool_use':
      case 'tool_call':
        return [{ kind: 'tool call', name: str(each.name), text: pretty(each.input ?? each.arguments) }];
      case 'tool_result':
      case 'tool_call_response':
        return [{ kind: 'tool result', text: str(each.content ?? each.result ?? each.response) }];
      case 'image':
      case 'image_url':
      case 'input_image':
        return [{ kind: 'image', text: source(each) }];
      case 'file':
      case 'input_file':
      case 'document':
        return [{ kind: 'file', text: str(each.filename ?? each.title ?? 'a file') }];
      case 'refusal':
        return [{ kind: 'refusal', text: str(each.refusal) }];
      default:
        return words ? [{ kind: 'text', text: words }] : [];
    }
  });
}

function source(part: Json): string {
  const url = isObject(part.image_url) ? part.image_url.url : (part.image_url ?? part.uri);
  const found =
    typeof url === 'string'
      ? url
      : isObject(part.source)
        ? str(part.source.media_type ?? part.source.url)
        : '';
  return found.startsWith('data:') ? `${found.slice(5, found.indexOf(';'))}, inline` : found || 'an image';
}

function pretty(value: unknown): string {
  if (typeof value !== 'string') return str(value);
  const found = parse(value);
  return found === undefined ? value : JSON.stringify(found, null, 2);
}

/** All words of the turns, for comparing two answers. */
export const words = (turns: readonly Turn[] | null) =>
  (turns ?? []).flatMap((each) => each.parts.map((part) => part.text)).join('\n\n');
