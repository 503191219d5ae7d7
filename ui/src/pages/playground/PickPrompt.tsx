/** A stored prompt instead of messages written here: its version, its templates, and its variables. */
import { Button, Select } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { exampleQuery } from '../../api/datasets';
import { promptsQuery, promptVersionQuery } from '../../api/prompts';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { type ObjectSchema, SchemaForm } from '../../parts/SchemaForm';
import type { Picked } from './draft';
import classes from './Playground.module.css';

interface Props {
  picked: Picked | null;
  /** `name@version` that the URL asks for. */
  asked: string | null;
  /** `dataset@version/id`, whose input becomes the variables. */
  example: string | null;
  onPick: (picked: Picked | null, model: string) => void;
  onAsk: (reference: string | null) => void;
  onInput: (input: Record<string, unknown>) => void;
}

export function PickPrompt({ picked, asked, example, onPick, onAsk, onInput }: Props) {
  const { project } = useScope();
  const prompts = useInfiniteQuery(promptsQuery(project, ''));
  const [name = '', at = 'latest'] = asked?.split('@') ?? [];
  const version = useQuery({ ...promptVersionQuery(project, name, at), enabled: name !== '' });
  const found = /^([^@/]+)@(\d+)\/(.+)$/s.exec(example ?? '');
  const loaded = useQuery({
    ...exampleQuery(project, found?.[1] ?? '', found?.[3] ?? '', found?.[2] ?? ''),
    enabled: found !== null,
  });
  const content = version.data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each version that is asked for
  useEffect(() => {
    if (!content) return;
    onPick(
      {
        name: content.prompt,
        number: content.number,
        templates: content.content.messages,
        schema: content.content.variables as ObjectSchema,
        variables: picked?.variables ?? {},
      },
      content.content.model ?? '',
    );
  }, [content?.digest]);
  const input = loaded.data?.example?.input;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each example that is asked for
  useEffect(() => {
    if (input && (asked === null || picked)) onInput(input);
  }, [input, picked?.number]);
  const references = (prompts.data?.items ?? []).flatMap((prompt) => [
    `${prompt.name}@latest`,
    ...prompt.labels.map((label) => `${prompt.name}@${label.name}`),
    ...Array.from(
      { length: Math.min(prompt.latest, 20) },
      (_, index) => `${prompt.name}@${prompt.latest - index}`,
    ),
  ]);
  return (
    <>
      <div className={classes.pick}>
        <Select
          aria-label="Prompt"
          placeholder="A prompt of the catalog"
          searchable
          clearable
          data={asked && !references.includes(asked) ? [asked, ...references] : references}
          value={asked ?? (picked ? `${picked.name}@${picked.number}` : null)}
          onChange={(next) => {
            onAsk(next);
            if (!next) onPick(null, '');
          }}
        />
        {picked && (
          <Button variant="subtle" onClick={() => onPick(null, '')}>
            Write here
          </Button>
        )}
      </div>
      {version.error && <Failure error={version.error} />}
      {loaded.error && <Failure error={loaded.error} />}
      {picked?.templates.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
        <div key={index} className={classes.message}>
          <div className={classes.role}>
            {message.role}, version {picked.number}
          </div>
          <pre className={classes.template}>{message.template}</pre>
        </div>
      ))}
      {picked && (
        <section className={classes.variables} aria-label="Variables">
          <h2>Variables</h2>
          <SchemaForm
            schema={picked.schema}
            values={picked.variables}
            onChange={(variables) => onPick({ ...picked, variables }, '')}
          />
        </section>
      )}
    </>
  );
}
