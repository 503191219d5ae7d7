/** What was seen becomes an example of a dataset: a span as it is, or values and the answer that is expected. */
import { Autocomplete, Button, Modal, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../api/client';
import { datasetsQuery } from '../api/datasets';
import { useScope } from '../app/scope';
import classes from './SaveExample.module.css';

interface Props {
  /** A span; an empty id stands for the first of the trace that asked a model. */
  of: { trace: string; span: string } | { input: Record<string, unknown> };
  expected: string;
  onClose: () => void;
}

export function SaveExample({ of, expected: answer, onClose }: Props) {
  const { project } = useScope();
  const cache = useQueryClient();
  const datasets = useInfiniteQuery(datasetsQuery(project, ''));
  const [name, setName] = useState('');
  const [expected, setExpected] = useState(answer);
  const [tags, setTags] = useState<string[]>([]);
  const [comment, setComment] = useState('');
  const save = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/datasets/{name}/examples', {
          params: { path: { name: name.trim() }, query: { project } },
          body:
            'trace' in of
              ? // Left as it was, the server takes the whole answer, which may be more than its text.
                {
                  span: of,
                  tags,
                  comment,
                  ...(expected !== answer ? { expected } : {}),
                  examples: [],
                  remove: [],
                }
              : {
                  examples: [
                    {
                      id: '',
                      input: of.input,
                      expected: expected || null,
                      tags,
                      metadata: {},
                      source: 'playground',
                      group: '',
                    },
                  ],
                  remove: [],
                  tags: [],
                  comment,
                },
        }),
      ),
    onSuccess: () =>
      Promise.all(
        ['datasets', 'dataset', 'dataset-versions', 'examples'].map((key) =>
          cache.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
  const saved = save.data;
  return (
    <Modal opened onClose={onClose} title="Save as an example">
      {saved ? (
        <div className={classes.form} role="status">
          <p className={classes.words}>
            It is in version {saved.version.number} of{' '}
            <Link
              to="/datasets/$name"
              params={{ name: name.trim() }}
              search={{ example: saved.ids[0] } as never}
            >
              {name.trim()}
            </Link>
            .
          </p>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </div>
      ) : (
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <Autocomplete
            label="Dataset"
            description="One that is there, or a new name"
            required
            data-autofocus
            data={datasets.data?.items.map((one) => one.name) ?? []}
            value={name}
            onChange={setName}
          />
          <Textarea
            label="Expected answer"
            description="What should have been said"
            autosize
            minRows={3}
            maxRows={12}
            value={expected}
            onChange={(event) => setExpected(event.currentTarget.value)}
          />
          <TagsInput label="Tags" value={tags} onChange={setTags} />
          <TextInput
            label="Comment"
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          {save.error && (
            <p className={classes.wrong} role="alert">
              {save.error.message}
            </p>
          )}
          <Button type="submit" loading={save.isPending} disabled={!name.trim()}>
            Save the example
          </Button>
        </form>
      )}
    </Modal>
  );
}
