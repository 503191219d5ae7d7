/** The splits of a version: shares, sizes, and how the values of a field fall on them. */
import { Button, NumberInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { type DatasetVersion, stratifiedQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Empty } from '../../parts/Empty';
import { count, percent } from '../../parts/format';
import { Section } from '../../parts/Page';
import classes from './Datasets.module.css';

export function Splits({ name, version }: { name: string; version: DatasetVersion | null }) {
  const { project } = useScope();
  const may = useRole();
  const search = useSearch({ strict: false }) as { by?: string };
  const set = useSetSearch();
  const by = search.by ?? 'expected';
  const number = version ? String(version.number) : '';
  const { data, error } = useQuery({
    ...stratifiedQuery(project, name, number, by),
    enabled: version !== null,
  });
  if (!version) return <Empty title="There is no version yet" />;
  const splits = Object.keys(version.shares);
  return (
    <>
      <Section title="Shares">
        {splits.length === 0 ? (
          <p className={classes.words}>
            There are no splits. They are made by hash of an example's id (or its group), so that an example
            stays where it is when the dataset grows.
          </p>
        ) : (
          <div
            className={classes.shares}
            role="img"
            aria-label={splits.map((one) => `${one} ${version.splits[one]}`).join(', ')}
          >
            {splits.map((one, index) => (
              <span
                key={one}
                style={{
                  flexGrow: version.shares[one],
                  ['--colour' as string]: `var(--n-s${(index % 8) + 1})`,
                }}
              >
                <b>{one}</b> {count(version.splits[one] ?? 0)}{' '}
                <span className="dim">{percent(version.shares[one])} asked for</span>
              </span>
            ))}
          </div>
        )}
        {may('editor') && <Change key={number} name={name} shares={version.shares} />}
      </Section>
      <Section
        title="How values fall on the splits"
        aside={
          <TextInput
            aria-label="Field"
            w={200}
            placeholder="expected, tags, metadata.NAME"
            key={by}
            defaultValue={by}
            onKeyDown={(event) =>
              event.key === 'Enter' && set({ by: event.currentTarget.value.trim() || null })
            }
          />
        }
      >
        {error ? (
          <p className={classes.wrong} role="alert">
            {error.message}
          </p>
        ) : (
          data && (
            <>
              <table className={`small-table ${classes.table}`}>
                <thead>
                  <tr>
                    <th scope="col">{data.by}</th>
                    <th scope="col" data-end>
                      Examples
                    </th>
                    {splits.map((one) => (
                      <th key={one} scope="col" data-end>
                        {one}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {data.items.map((row) => (
                    <tr key={row.value}>
                      <th scope="row">{row.value}</th>
                      <td data-end className="num">
                        {count(row.total)}
                      </td>
                      {splits.map((one) => (
                        <td key={one} data-end className="num">
                          {count(row.splits[one] ?? 0)}{' '}
                          <span className="dim">{percent((row.splits[one] ?? 0) / row.total)}</span>
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
              {data.lacking > 0 && (
                <p className={classes.words}>{count(data.lacking)} examples do not have this field.</p>
              )}
            </>
          )
        )}
      </Section>
    </>
  );
}

function Change({ name, shares }: { name: string; shares: Record<string, number> }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const set = useSetSearch();
  const [rows, setRows] = useState<[string, number][]>(() =>
    Object.keys(shares).length > 0
      ? Object.entries(shares)
      : [
          ['train', 0.8],
          ['test', 0.2],
        ],
  );
  const save = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/datasets/{name}/splits', {
          params: { path: { name }, query: { project } },
          body: {
            splits: Object.fromEntries(rows.filter(([split]) => split.trim())),
            comment: 'Other splits',
          },
        }),
      ),
    onSuccess: () => {
      set({ version: null }, { replace: true });
      return Promise.all(
        ['dataset', 'dataset-versions', 'stratified'].map((key) =>
          cache.invalidateQueries({ queryKey: [key] }),
        ),
      );
    },
  });
  const change = (at: number, row: [string, number]) =>
    setRows(rows.map((each, index) => (index === at ? row : each)));
  return (
    <form
      className={classes.splitting}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {rows.map(([split, share], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
        <span key={index} className={classes.one}>
          <TextInput
            aria-label={`Name of split ${index + 1}`}
            w={100}
            value={split}
            onChange={(event) => change(index, [event.currentTarget.value, share])}
          />
          <NumberInput
            aria-label={`Share of split ${index + 1}`}
            w={72}
            min={0}
            max={1}
            step={0.05}
            value={share}
            onChange={(value) => change(index, [split, typeof value === 'number' ? value : 0])}
          />
        </span>
      ))}
      <Button variant="subtle" onClick={() => setRows([...rows, ['', 0.1]])}>
        One more
      </Button>
      <Button type="submit" variant="default" loading={save.isPending}>
        Split as a new version
      </Button>
      {save.error && (
        <span className={classes.wrong} role="alert">
          {save.error.message}
        </span>
      )}
    </form>
  );
}
