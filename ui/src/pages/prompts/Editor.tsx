/** A new version is written: messages, variables, model, parameters; lint looks over the shoulder. */
import { ActionIcon, Autocomplete, Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { api, ask } from '../../api/client';
import { lintQuery, type NewContent, type PromptVersion } from '../../api/prompts';
import { callableQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { LazyCode } from '../../parts/LazyCode';
import { Page } from '../../parts/Page';
import { Findings } from './Findings';
import classes from './Prompts.module.css';

interface Props {
  name: string;
  branch: string;
  from: PromptVersion | null;
  back: ReactNode;
  /** The number of the version that was made; null: none was. */
  onDone: (number: number | null) => void;
}

type Message = NewContent['messages'][number];

const JSONS = {
  variables: 'Variables, a JSON Schema',
  parameters: 'Parameters of the call',
  tools: 'Tools',
  response_format: 'Response format',
  technique: 'Technique (few-shot and others)',
} as const;
type Field = keyof typeof JSONS;

const NEW: Record<Field, unknown> = {
  variables: { type: 'object', properties: { question: { type: 'string' } }, required: ['question'] },
  parameters: {},
  tools: [],
  response_format: null,
  technique: {},
};

export function Editor({ name, branch, from, back, onDone }: Props) {
  const { project } = useScope();
  const cache = useQueryClient();
  const models = useQuery(callableQuery(project));
  const start = from?.content;
  const [messages, setMessages] = useState<(Message & { id: number })[]>(() =>
    (
      start?.messages ?? [
        { role: 'system' as const, template: '' },
        { role: 'user' as const, template: '{{ question }}' },
      ]
    ).map((message, id) => ({ ...message, id })),
  );
  const [model, setModel] = useState(start?.model ?? '');
  const [texts, setTexts] = useState<Record<Field, string>>(
    () =>
      Object.fromEntries(
        Object.keys(JSONS).map((field) => [
          field,
          JSON.stringify(start ? start[field as Field] : NEW[field as Field], null, 2),
        ]),
      ) as Record<Field, string>,
  );
  const [on, setOn] = useState(branch);
  const [comment, setComment] = useState('');
  const { content, wrong } = useMemo(() => read(messages, model, texts), [messages, model, texts]);
  const [settled] = useDebouncedValue(content, 400);
  const lint = useQuery({ ...lintQuery(project, name, settled, ''), enabled: settled !== null });
  const save = useMutation({
    mutationFn: () => {
      if (!content) throw new Error(wrong ?? 'The content cannot be read.');
      return ask(
        api.POST('/api/prompts/{name}/versions', {
          params: { path: { name }, query: { project } },
          body: { content, branch: on, parent: from?.digest ?? '', comment },
        }),
      );
    },
    onSuccess: async ({ version }) => {
      await Promise.all(
        ['prompt', 'prompts', 'prompt-versions'].map((key) => cache.invalidateQueries({ queryKey: [key] })),
      );
      onDone(version.number);
    },
  });
  useShortcuts([
    { keys: 'mod+enter', label: 'Save as a new version', group: 'Editor', run: () => save.mutate() },
    ...(from ? [{ keys: 'esc', label: 'Leave the editor', group: 'Editor', run: () => onDone(null) }] : []),
  ]);
  const change = (id: number, part: Partial<Message>) =>
    setMessages(messages.map((each) => (each.id === id ? { ...each, ...part } : each)));
  return (
    <Page
      title={`${name}: new version`}
      back={back}
      note={from ? `from version ${from.number}` : 'the first one'}
      aside={
        <>
          {save.data && !save.data.created && (
            <span className="dim">The newest version says this already.</span>
          )}
          {from && (
            <Button variant="default" onClick={() => onDone(null)}>
              Leave
            </Button>
          )}
          <Button loading={save.isPending} disabled={!content} onClick={() => save.mutate()} title="⌘↵">
            Save as a new version
          </Button>
        </>
      }
    >
      <div className={classes.view}>
        <div className={classes.side}>
          {save.error && (
            <p className={classes.wrong} role="alert">
              {save.error.message}
            </p>
          )}
          {messages.map((message, index) => (
            <article key={message.id} className={classes.editing}>
              <header>
                <NativeSelect
                  aria-label={`Role of message ${index + 1}`}
                  variant="unstyled"
                  data={['system', 'developer', 'user', 'assistant']}
                  value={message.role}
                  onChange={(event) =>
                    change(message.id, { role: event.currentTarget.value as Message['role'] })
                  }
                />
                {messages.length > 1 && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="sm"
                    aria-label={`Remove message ${index + 1}`}
                    onClick={() => setMessages(messages.filter((each) => each.id !== message.id))}
                  >
                    <IconTrash size={14} stroke={1.6} />
                  </ActionIcon>
                )}
              </header>
              <LazyCode
                value={message.template}
                label={`Message ${index + 1}, ${message.role}`}
                language="text"
                placeholder="Jinja: {{ variable }}, {% if … %}, {% for … %}"
                onChange={(template) => change(message.id, { template })}
              />
            </article>
          ))}
          <Button
            variant="subtle"
            leftSection={<IconPlus size={14} />}
            onClick={() =>
              setMessages([
                ...messages,
                {
                  id: Math.max(...messages.map((each) => each.id)) + 1,
                  role: messages.at(-1)?.role === 'user' ? 'assistant' : 'user',
                  template: '',
                },
              ])
            }
          >
            Message
          </Button>
          <h3>Findings</h3>
          {wrong ? (
            <p className={classes.wrong}>{wrong}</p>
          ) : (
            <Findings lint={lint.data} error={lint.error} />
          )}
        </div>
        <div className={classes.side}>
          <div className={classes.form}>
            <TextInput
              label="What is new"
              placeholder="stands with the version"
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
            />
            <TextInput label="Branch" value={on} onChange={(event) => setOn(event.currentTarget.value)} />
            <Autocomplete
              label="Model or route"
              placeholder="as the caller says"
              data={models.data?.items.map((one) => one.id) ?? []}
              value={model}
              onChange={setModel}
            />
          </div>
          {(Object.keys(JSONS) as Field[]).map((field) => (
            <section key={field}>
              <h3>{JSONS[field]}</h3>
              <div className={classes.code}>
                <LazyCode
                  value={texts[field]}
                  label={JSONS[field]}
                  onChange={(text) => setTexts((now) => ({ ...now, [field]: text }))}
                />
              </div>
            </section>
          ))}
        </div>
      </div>
    </Page>
  );
}

/** The content that is written, or the sentence that says what cannot be read. */
function read(
  messages: readonly (Message & { id: number })[],
  model: string,
  texts: Record<Field, string>,
): { content: NewContent | null; wrong: string | null } {
  const found: Partial<Record<Field, unknown>> = {};
  for (const field of Object.keys(JSONS) as Field[]) {
    try {
      found[field] = texts[field].trim() ? JSON.parse(texts[field]) : NEW[field];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { content: null, wrong: `${JSONS[field]}: ${error.message}` };
    }
  }
  return {
    content: {
      messages: messages.map(({ role, template }) => ({ role, template })),
      model,
      ...found,
    } as NewContent,
    wrong: null,
  };
}
