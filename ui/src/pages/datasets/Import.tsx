/** A file becomes a version of a dataset; lines that cannot be read are counted and named. */
import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, csrfHeaders, type Made, refusal } from '../../api/client';
import { useScope } from '../../app/scope';
import { bytes, count } from '../../parts/format';
import classes from './Datasets.module.css';

type Imported = Made<'/api/datasets/{name}/import'>;

const named = (file: string) =>
  file
    .replace(/(\.(jsonl?|csv|tsv|parquet|arrow|txt|gz|zst))+$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);

export function ImportForm({ into, onClose }: { into: string | null; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState(into ?? '');
  const [input, setInput] = useState('');
  const [expected, setExpected] = useState('');
  const [replace, setReplace] = useState(false);
  const [comment, setComment] = useState('');
  const send = useMutation({
    mutationFn: async (): Promise<Imported> => {
      if (!file) throw new Error('Choose a file first.');
      const mapping = {
        ...(input.trim() ? { input: input.split(',').map((each) => each.trim()) } : {}),
        ...(expected.trim() ? { expected: expected.trim() } : {}),
      };
      const query = new URLSearchParams({
        project,
        file: file.name,
        comment,
        replace: String(replace),
        ...(Object.keys(mapping).length > 0 ? { mapping: JSON.stringify(mapping) } : {}),
      });
      // The file goes as it is: a large one is never held in this page's memory.
      const answer = await fetch(`/api/datasets/${encodeURIComponent(name)}/import?${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', ...csrfHeaders() },
        body: file,
      });
      const body: unknown = await answer.json().catch(() => null);
      if (!answer.ok) throw refusal(answer.status, body);
      return body as Imported;
    },
    onSuccess: () =>
      Promise.all(
        ['datasets', 'dataset', 'dataset-versions', 'examples'].map((key) =>
          cache.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const fault = send.error;
  const of = (param: string) =>
    fault instanceof ApiError && fault.param === param ? fault.message : undefined;
  return (
    <Modal opened onClose={onClose} title={into ? `Import into ${into}` : 'Import a dataset'}>
      {send.data ? (
        <div className={classes.form}>
          <Report imported={send.data} />
          <Button
            onClick={() => {
              onClose();
              void navigate({ to: '/datasets/$name', params: { name } });
            }}
          >
            See {name}
          </Button>
        </div>
      ) : (
        <form className={classes.form} onSubmit={submit}>
          <label className={classes.file}>
            <span>File</span>
            <input
              type="file"
              accept=".jsonl,.json,.csv,.tsv,.parquet,.arrow,.txt,.gz"
              onChange={(event) => {
                const [chosen] = event.currentTarget.files ?? [];
                setFile(chosen ?? null);
                if (chosen && !name) setName(named(chosen.name));
              }}
            />
            <span className="dim">
              {file ? bytes(file.size) : 'JSON Lines, JSON, CSV, TSV, Parquet, Arrow or text'}
            </span>
          </label>
          {into === null && (
            <TextInput
              label="Dataset"
              description="A new name, or one that is there: then a version is added"
              required
              value={name}
              error={of('name')}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
          <div className={classes.pair}>
            <TextInput
              label="Input columns"
              placeholder="recognised by name"
              value={input}
              error={of('mapping')}
              onChange={(event) => setInput(event.currentTarget.value)}
            />
            <TextInput
              label="Column of the expected answer"
              placeholder="recognised by name"
              value={expected}
              onChange={(event) => setExpected(event.currentTarget.value)}
            />
          </div>
          <TextInput
            label="Comment"
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          <Checkbox
            label="Take out what the file does not have"
            checked={replace}
            onChange={(event) => setReplace(event.currentTarget.checked)}
          />
          {fault && !(fault instanceof ApiError && fault.param) && (
            <p className={classes.wrong} role="alert">
              {fault.message}
            </p>
          )}
          <Button type="submit" loading={send.isPending} disabled={!file || !name.trim()}>
            Import
          </Button>
        </form>
      )}
    </Modal>
  );
}

export function Report({ imported: { report, job } }: { imported: Imported }) {
  if (!report) {
    return (
      <p className={classes.words} role="status">
        The file is large and goes on in the background{job && ` as job ${job}`}; its version appears when it
        is done.
      </p>
    );
  }
  return (
    <div role="status">
      <p className={classes.words}>
        {count(report.read)} records read; version {report.version} has {count(report.examples)} examples:{' '}
        {count(report.created)} new, {count(report.patched)} changed, {count(report.deleted)} taken out,{' '}
        {count(report.repeated)} repeated in the file.
      </p>
      {report.bad > 0 && (
        <>
          <p className={classes.warn}>{count(report.bad)} records could not be used.</p>
          <ul className={classes.problems}>
            {report.problems.slice(0, 20).map((one) => (
              <li key={`${one.file} ${one.line}`}>
                <span className="num dim">
                  {one.file}:{one.line}
                </span>{' '}
                {one.reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
