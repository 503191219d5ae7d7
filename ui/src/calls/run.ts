/** One model call of the page, streamed: what has come so far, and its figures. No React here. */
import { csrfHeaders, refusal } from '../api/client';
import { delta, splitter, type Token } from '../parts/sse';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface Call {
  model: string;
  messages: Message[];
  temperature?: number;
  max_tokens?: number;
  top_p?: number;
  seed?: number;
  logprobs?: boolean;
  session?: string;
}

export interface Run {
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  text: string;
  reasoning: string;
  tools: { name: string; arguments: string }[];
  tokens: Token[];
  /** From the request to the first text, in milliseconds. */
  firstMs: number | null;
  ms: number;
  usage: { input: number; output: number } | null;
  stop: string | null;
  trace: string | null;
  target: string | null;
  cost: string | null;
  cache: string | null;
  error: string | null;
}

export const START: Run = {
  state: 'waiting',
  text: '',
  reasoning: '',
  tools: [],
  tokens: [],
  firstMs: null,
  ms: 0,
  usage: null,
  stop: null,
  trace: null,
  target: null,
  cost: null,
  cache: null,
  error: null,
};

export function body(call: Call): Record<string, unknown> {
  const { session, logprobs, ...rest } = call;
  return {
    ...rest,
    stream: true,
    stream_options: { include_usage: true },
    ...(logprobs ? { logprobs: true, top_logprobs: 4 } : {}),
    ...(session ? { noria: { session } } : {}),
  };
}

/** Calls, and tells `draw` at most once a frame what has come. Ends by itself; an abort gives `stopped`. */
export async function run(
  project: string,
  call: Call,
  signal: AbortSignal,
  draw: (run: Run) => void,
): Promise<Run> {
  const began = performance.now();
  let now: Run = START;
  let asked = 0;
  const set = (change: Partial<Run>) => {
    now = { ...now, ...change, ms: performance.now() - began };
    if (!asked) {
      asked = requestAnimationFrame(() => {
        asked = 0;
        draw(now);
      });
    }
  };
  set({});
  try {
    const answer = await fetch(`/api/playground/chat/completions?${new URLSearchParams({ project })}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...csrfHeaders() },
      body: JSON.stringify(body(call)),
      signal,
    });
    const head = (name: string) => answer.headers.get(`x-noria-${name}`);
    set({ trace: head('trace-id'), target: head('target'), cost: head('cost'), cache: head('cache') });
    if (!answer.ok || !answer.body) {
      set({ state: 'failed', error: refusal(answer.status, await answer.json().catch(() => null)).message });
      return now;
    }
    const split = splitter();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const { data } of split(value)) {
        const found = delta(data);
        if (!found) continue;
        const begun = found.text || found.reasoning || found.tools.length > 0;
        const tools = [...now.tools];
        for (const tool of found.tools) {
          const before = tools[tool.index] ?? { name: '', arguments: '' };
          tools[tool.index] = { name: before.name + tool.name, arguments: before.arguments + tool.arguments };
        }
        set({
          state: 'streaming',
          text: now.text + found.text,
          reasoning: now.reasoning + found.reasoning,
          tools,
          tokens: found.tokens.length > 0 ? [...now.tokens, ...found.tokens] : now.tokens,
          firstMs: now.firstMs ?? (begun ? performance.now() - began : null),
          stop: found.stop ?? now.stop,
          usage: found.usage ?? now.usage,
          error: found.error ?? now.error,
        });
      }
    }
    set({ state: now.error ? 'failed' : 'done' });
  } catch (error) {
    if (signal.aborted) set({ state: 'stopped' });
    else if (error instanceof TypeError)
      set({ state: 'failed', error: 'The connection to Noria broke off. Run it again.' });
    else throw error;
  }
  return now;
}

/** Tokens a second after the first; null where there is too little to say. */
export function speed(found: Run): number | null {
  if (!found.usage || found.firstMs === null || found.ms - found.firstMs < 50) return null;
  return (found.usage.output / (found.ms - found.firstMs)) * 1000;
}

const VARIABLE = /\{\{\s*([\w.-]+)\s*\}\}/g;

/** Names of `{{variables}}` in the texts, in the order of their first use. */
export const variables = (texts: readonly string[]): string[] => [
  ...new Set(texts.flatMap((text) => [...text.matchAll(VARIABLE)].map((found) => found[1] as string))),
];

/** The text with its variables put in; those without a value stay as they are. */
export const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(VARIABLE, (whole, name: string) => values[name] || whole);
