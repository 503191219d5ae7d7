/** What stands in the Playground; it outlives leaving the page, in this tab only. */
import type { Message } from '../../calls/run';
import type { ObjectSchema } from '../../parts/SchemaForm';

export interface Settings {
  temperature: number | null;
  maxTokens: number | null;
  topP: number | null;
  seed: number | null;
  logprobs: boolean;
}

export interface Lane {
  id: number;
  model: string | null;
  settings: Settings;
  /** A system prompt of this column's own; null: the shared one. */
  system: string | null;
}

/** A version of a stored prompt; the server renders it with the variables when a column runs. */
export interface Picked {
  name: string;
  number: number;
  templates: { role: string; template: string }[];
  schema: ObjectSchema;
  variables: Record<string, unknown>;
}

export interface Draft {
  /** Instead of the messages. */
  prompt?: Picked | null;
  messages: Message[];
  values: Record<string, string>;
  lanes: Lane[];
}

export const SETTINGS: Settings = {
  temperature: null,
  maxTokens: null,
  topP: null,
  seed: null,
  logprobs: false,
};

/** The first two that can be called; one alone stands in both, to be told apart by its settings. */
export function fresh(models: readonly string[]): Draft {
  return {
    messages: [
      { role: 'system', content: '' },
      { role: 'user', content: '' },
    ],
    values: {},
    lanes: [0, 1].map((id) => ({
      id,
      model: models[id] ?? models[0] ?? null,
      settings: SETTINGS,
      system: null,
    })),
  };
}

const PLACE = 'noria-playground';

export function kept(): Draft | null {
  const text = sessionStorage.getItem(PLACE);
  return text ? (JSON.parse(text) as Draft) : null;
}

export function keep(draft: Draft) {
  sessionStorage.setItem(PLACE, JSON.stringify(draft));
}
