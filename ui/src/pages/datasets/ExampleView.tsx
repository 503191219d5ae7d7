/** One example with its revisions; what an editor changes becomes a new version. */
import { Button, Skeleton, Textarea, TextInput } from '@mantine/core';
import { IconColumns2, IconPencil } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { type ExampleDetail, exampleQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { Id, When } from '../../parts/Value';
import classes from './Datasets.module.css';
import { parsed, pretty } from './example';

export function ExampleView({ name, id, version }: { name: string; id: string; version: string }) {
  const { project } = useScope();
  const may = useRole();
  const set = useSetSearch();
  const [editing, setEditing] = useState(false);
  const { data, error, refetch } = useQuery(exampleQuery(project, name, id, version));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={240} m="lg" />;
  const { example, history } = data;
  return (
    <div className={classes.detail}>
      <h2>{id}</h2>
      <div className={classes.sub}>
        <Id value={id} short={24} />
        {data.split && <span>split {data.split}</span>}
        {example?.tags.map((tag) => (
          <span key={tag} className="dim">
            #{tag}
          </span>
        ))}
        {example?.source && <span className="dim ellipsis">{example.source}</span>}
      </div>
      {!example ? (
        <p className={classes.words}>Version {data.version} does not have this example.</p>
      ) : editing ? (
        <Edit name={name} example={example} onDone={() => setEditing(false)} />
      ) : (
        <>
          <div className={classes.acts}>
            {may('editor') && (
              <Button
                variant="default"
                leftSection={<IconPencil size={14} stroke={1.6} />}
                onClick={() => setEditing(true)}
              >
                Revise
              </Button>
            )}
            <Button
              component={Link}
              to="/playground"
              search={{ example: `${name}@${data.version}/${id}` } as never}
              variant="default"
              leftSection={<IconColumns2 size={14} stroke={1.6} />}
            >
              Try in Playground
            </Button>
          </div>
          {Object.entries(example.input).map(([field, value]) => (
            <Field key={field} name={field} value={value} />
          ))}
          {example.expected !== null && <Field name="Expected" value={example.expected} />}
          {Object.keys(example.metadata).length > 0 && <Field name="Metadata" value={example.metadata} />}
        </>
      )}
      <h3>Revisions</h3>
      <ol className={classes.history}>
        {history.map((one) => (
          <li key={`${one.version} ${one.revision}`}>
            <button
              type="button"
              className={classes.link}
              onClick={() => set({ version: String(one.version) })}
            >
              Version {one.version}
            </button>
            <span>{WORDS[one.kind]}</span>
            <span className="dim">
              by {one.by_name || one.by}, <When ms={one.at_ms} />
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const WORDS = { create: 'came in', patch: 'was changed', delete: 'was taken out' } as const;

export function Field({ name, value }: { name: string; value: unknown }) {
  return (
    <section>
      <h3>{name}</h3>
      <pre className={classes.text}>{pretty(value)}</pre>
    </section>
  );
}

function Edit({
  name,
  example,
  onDone,
}: {
  name: string;
  example: NonNullable<ExampleDetail['example']>;
  onDone: () => void;
}) {
  const { project } = useScope();
  const cache = useQueryClient();
  const set = useSetSearch();
  const [inputs, setInputs] = useState(() =>
    Object.fromEntries(Object.entries(example.input).map(([field, value]) => [field, pretty(value)])),
  );
  const [expected, setExpected] = useState(pretty(example.expected ?? ''));
  const [tags, setTags] = useState(example.tags.join(', '));
  const [comment, setComment] = useState('');
  const save = useMutation({
    mutationFn: () =>
      ask(
        api.PATCH('/api/datasets/{name}/examples/{id}', {
          params: { path: { name, id: example.id }, query: { project } },
          body: {
            // What was a text stays one, whatever it looks like.
            input: Object.fromEntries(
              Object.entries(inputs).map(([field, text]) => [
                field,
                typeof example.input[field] === 'string' ? text : parsed(text),
              ]),
            ),
            expected:
              expected === '' ? null : typeof example.expected === 'string' ? expected : parsed(expected),
            tags: tags
              .split(',')
              .map((tag) => tag.trim())
              .filter(Boolean),
            comment,
          },
        }),
      ),
    onSuccess: async () => {
      await Promise.all(
        ['dataset', 'dataset-versions', 'examples', 'example'].map((key) =>
          cache.invalidateQueries({ queryKey: [key] }),
        ),
      );
      set({ version: null }, { replace: true });
      onDone();
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {Object.entries(inputs).map(([field, text]) => (
        <Textarea
          key={field}
          label={field}
          autosize
          minRows={2}
          maxRows={14}
          value={text}
          onChange={(event) => setInputs({ ...inputs, [field]: event.currentTarget.value })}
        />
      ))}
      <Textarea
        label="Expected"
        autosize
        minRows={1}
        maxRows={14}
        value={expected}
        onChange={(event) => setExpected(event.currentTarget.value)}
      />
      <TextInput label="Tags" value={tags} onChange={(event) => setTags(event.currentTarget.value)} />
      <TextInput
        label="Why"
        placeholder="stands with the new version"
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      {save.error && (
        <p className={classes.wrong} role="alert">
          {save.error.message}
        </p>
      )}
      <div className={classes.acts}>
        <Button type="submit" loading={save.isPending}>
          Save as a new version
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave as it is
        </Button>
      </div>
    </form>
  );
}
