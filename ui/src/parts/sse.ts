/** Server-sent events: taken apart as they come, and put together to one answer. Pure. */

export interface Event {
  event: string;
  data: string;
}

/** Feed it text in any pieces; it gives back the events that are whole. */
export function splitter(): (piece: string) => Event[] {
  let rest = '';
  return (piece) => {
    // A piece may end between the two characters of a line's end.
    rest = (rest + piece).replace(/\r\n/g, '\n');
    const found: Event[] = [];
    for (let at = rest.indexOf('\n\n'); at >= 0; at = rest.indexOf('\n\n')) {
      const block = rest.slice(0, at);
      rest = rest.slice(at + 2);
      let event = '';
      const data: string[] = [];
      for (const line of block.split('\n')) {
        if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
        else if (line.startsWith('event:')) event = line.slice(6).trim();
      }
      if (data.length > 0) found.push({ event, data: data.join('\n') });
    }
    return found;
  };
}

export interface Token {
  text: string;
  /** Between 0 and 1. */
  probability: number;
  others: { text: string; probability: number }[];
}

/** What one chunk of an OpenAI chat stream adds. */
export interface Delta {
  text: string;
  reasoning: string;
  tools: { index: number; name: string; arguments: string }[];
  tokens: Token[];
  stop: string | null;
  usage: { input: number; output: number } | null;
  error: string | null;
}

interface Logprob {
  token: string;
  logprob: number;
  top_logprobs?: Logprob[];
}

interface Chunk {
  choices?: {
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      reasoning?: string | null;
      tool_calls?: { index?: number; function?: { name?: string; arguments?: string } }[];
    };
    logprobs?: { content?: Logprob[] | null } | null;
    finish_reason?: string | null;
  }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  error?: { message?: string } | string;
}

export function delta(data: string): Delta | null {
  if (data === '[DONE]') return null;
  const chunk = JSON.parse(data) as Chunk;
  const choice = chunk.choices?.[0];
  const made = choice?.delta;
  const error = typeof chunk.error === 'string' ? chunk.error : (chunk.error?.message ?? null);
  return {
    text: made?.content ?? '',
    reasoning: made?.reasoning_content ?? made?.reasoning ?? '',
    tools: (made?.tool_calls ?? []).map((call) => ({
      index: call.index ?? 0,
      name: call.function?.name ?? '',
      arguments: call.function?.arguments ?? '',
    })),
    tokens: (choice?.logprobs?.content ?? []).map((each) => ({
      text: each.token,
      probability: Math.exp(each.logprob),
      others: (each.top_logprobs ?? []).map((other) => ({
        text: other.token,
        probability: Math.exp(other.logprob),
      })),
    })),
    stop: choice?.finish_reason ?? null,
    usage: chunk.usage
      ? { input: chunk.usage.prompt_tokens ?? 0, output: chunk.usage.completion_tokens ?? 0 }
      : null,
    error,
  };
}

interface AnyEvent extends Chunk {
  type?: string;
  delta?: { type?: string; text?: string; thinking?: string; partial_json?: string } | string;
  content_block?: { type?: string; name?: string };
}

/** The answer that a recorded stream of any dialect amounts to; null: the text is no stream. */
export function assemble(
  stream: string,
): { text: string; reasoning: string; tools: { name: string; arguments: string }[] } | null {
  if (!/^\s*(data|event|:)/.test(stream)) return null;
  let text = '';
  let reasoning = '';
  const tools: { name: string; arguments: string }[] = [];
  for (const { data } of splitter()(`${stream}\n\n`)) {
    if (data === '[DONE]') continue;
    let event: AnyEvent;
    try {
      event = JSON.parse(data) as AnyEvent;
    } catch (error) {
      // A stream that was cut off in the middle of an event.
      if (error instanceof SyntaxError) continue;
      throw error;
    }
    if (event.choices) {
      const found = delta(data);
      text += found?.text ?? '';
      reasoning += found?.reasoning ?? '';
      for (const call of found?.tools ?? []) {
        const tool = tools[call.index] ?? { name: '', arguments: '' };
        tools[call.index] = { name: tool.name + call.name, arguments: tool.arguments + call.arguments };
      }
    } else if (event.type === 'response.output_text.delta' && typeof event.delta === 'string') {
      text += event.delta;
    } else if (event.type === 'content_block_start' && event.content_block?.type === 'tool_use') {
      tools.push({ name: event.content_block.name ?? '', arguments: '' });
    } else if (event.type === 'content_block_delta' && typeof event.delta === 'object') {
      text += event.delta.text ?? '';
      reasoning += event.delta.thinking ?? '';
      const last = tools.at(-1);
      if (last) last.arguments += event.delta.partial_json ?? '';
    }
  }
  return { text, reasoning, tools: tools.filter(Boolean) };
}
