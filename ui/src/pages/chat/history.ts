/** Conversations of the Chat page, kept in this browser; the gateway keeps their traces as a session. */

export interface Turn {
  role: 'user' | 'assistant';
  text: string;
  /** Of an answer. */
  trace?: string | null;
  error?: string | null;
  stopped?: boolean;
  thumb?: boolean;
}

export interface Chat {
  id: string;
  model: string | null;
  turns: Turn[];
  changed: number;
}

const PLACE = 'noria-chats';
/** The oldest are forgotten beyond this many. */
const MOST = 100;

export function all(): Chat[] {
  const text = localStorage.getItem(PLACE);
  return text ? (JSON.parse(text) as Chat[]) : [];
}

/** The list with this chat put in, newest first; an empty one is left out. */
export function put(chats: readonly Chat[], chat: Chat): Chat[] {
  const others = chats.filter((each) => each.id !== chat.id);
  const list = chat.turns.length > 0 ? [chat, ...others] : others;
  return list.sort((a, b) => b.changed - a.changed).slice(0, MOST);
}

export function save(chats: readonly Chat[]) {
  localStorage.setItem(PLACE, JSON.stringify(chats));
}

export const title = (chat: Chat) => chat.turns[0]?.text.slice(0, 80) || 'New chat';

/** The turns up to the one at `index`, with its words replaced: what an edited question is asked after. */
export const edited = (turns: readonly Turn[], index: number, text: string): Turn[] => [
  ...turns.slice(0, index),
  { role: 'user', text },
];

export interface Block {
  kind: 'text' | 'code';
  text: string;
  language: string;
}

/** Fenced code apart from text; an open fence reaches to the end. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const fence = /^```([\w+-]*)[^\n]*\n([\s\S]*?)(?:^```[^\S\n]*$|(?![\s\S]))/gm;
  let at = 0;
  for (const match of text.matchAll(fence)) {
    if (match.index > at)
      found.push({ kind: 'text', text: text.slice(at, match.index).trim(), language: '' });
    found.push({ kind: 'code', text: (match[2] ?? '').replace(/\n$/, ''), language: match[1] ?? '' });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ kind: 'text', text: text.slice(at).trim(), language: '' });
  return found.filter((block) => block.text || block.kind === 'code');
}
