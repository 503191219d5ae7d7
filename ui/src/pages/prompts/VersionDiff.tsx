/** Two versions side by side: texts word by word with their tokens, and every other field. */
import { NativeSelect, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import type { Answer } from '../../api/client';
import { type PromptVersion, promptDiffQuery } from '../../api/prompts';
import { useScope, useSetSearch } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import classes from './Prompts.module.css';

interface Props {
  name: string;
  version: PromptVersion;
  versions: readonly PromptVersion[];
}

const change = (before: number, after: number) =>
  before === after ? `${count(before)} tokens` : `${count(before)} → ${count(after)} tokens`;

export function VersionDiff({ name, version, versions }: Props) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { before?: string };
  const set = useSetSearch();
  const parent =
    versions.find((one) => one.digest === version.parent) ??
    versions.find((one) => one.number < version.number);
  const before = search.before ?? (parent ? String(parent.number) : '');
  const { data, error, refetch } = useQuery({
    ...promptDiffQuery(project, name, before, String(version.number)),
    enabled: before !== '',
  });
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="Compare with"
          data={versions
            .filter((one) => one.number !== version.number)
            .map((one) => ({ value: String(one.number), label: `Version ${one.number}` }))}
          value={before}
          onChange={(event) => set({ before: event.currentTarget.value })}
        />
        <span className="dim">to version {version.number}</span>
        {data && (
          <span className="num dim">
            {change(data.tokens_before, data.tokens_after)}, {data.method}
          </span>
        )}
      </div>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : before === '' ? (
        <Empty title="There is only one version" />
      ) : !data ? (
        <Skeleton height={240} m="lg" />
      ) : data.same ? (
        <Empty title="The two say the same" />
      ) : (
        <PromptDiff diff={data} />
      )}
    </>
  );
}

/** Every message and field of two versions that are not the same. */
export function PromptDiff({ diff: data }: { diff: Answer<'/api/prompts/{name}/diff'> }) {
  return (
    <>
      {data.messages.map((message) => (
        <section key={message.number} className={classes.pair}>
          <header>
            <b>{message.role_after || message.role_before}</b>
            {message.role_before !== message.role_after && message.role_before && message.role_after && (
              <span className="dim">was {message.role_before}</span>
            )}
            <span className="dim">{message.change}</span>
            <span className="num dim">{change(message.tokens_before, message.tokens_after)}</span>
          </header>
          {message.change !== 'same' && (
            <div className={classes.columns}>
              <pre>
                {message.words.map((piece, index) =>
                  piece.change === 'added' ? null : piece.change === 'removed' ? (
                    // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
                    <del key={index}>{piece.text}</del>
                  ) : (
                    piece.text
                  ),
                )}
              </pre>
              <pre>
                {message.words.map((piece, index) =>
                  piece.change === 'removed' ? null : piece.change === 'added' ? (
                    // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
                    <ins key={index}>{piece.text}</ins>
                  ) : (
                    piece.text
                  ),
                )}
              </pre>
            </div>
          )}
        </section>
      ))}
      {data.fields.length > 0 && (
        <section className={classes.pair}>
          <header>
            <b>Other fields</b>
          </header>
          {data.fields.map((field) => (
            <div key={field.path} className={classes.field}>
              <span className="mono">{field.path}</span>
              <span className="mono">
                {field.before !== null && field.before !== undefined && (
                  <del>{JSON.stringify(field.before)}</del>
                )}{' '}
                {field.after !== null && field.after !== undefined && (
                  <ins>{JSON.stringify(field.after)}</ins>
                )}
              </span>
            </div>
          ))}
        </section>
      )}
    </>
  );
}
