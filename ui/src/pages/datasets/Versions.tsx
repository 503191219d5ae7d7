/** Versions, newest first: what each was made of, and who signed which as golden. */
import { Button, Modal, Textarea } from '@mantine/core';
import { IconArrowsDiff, IconRosetteDiscountCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, ask } from '../../api/client';
import type { DatasetVersion } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { count } from '../../parts/format';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import classes from './Datasets.module.css';

interface Props {
  name: string;
  versions: readonly DatasetVersion[];
  query: {
    isPending: boolean;
    isFetchingNextPage: boolean;
    hasNextPage: boolean;
    fetchNextPage: () => unknown;
  };
}

export function Versions({ name, versions, query }: Props) {
  const set = useSetSearch();
  const may = useRole();
  const [signing, setSigning] = useState<DatasetVersion | null>(null);
  const columns = useMemo<Column<DatasetVersion>[]>(
    () => [
      {
        id: 'number',
        header: 'Version',
        width: '64px',
        narrow: 'first',
        cell: (one) => <b className="num">{one.number}</b>,
        value: (one) => one.number,
      },
      {
        id: 'comment',
        header: 'What is new',
        width: 'minmax(160px, 2fr)',
        narrow: 'second',
        cell: (one) => one.comment || <span className="dim">no comment</span>,
      },
      {
        id: 'examples',
        header: 'Examples',
        width: '76px',
        end: true,
        cell: (one) => <span className="num">{count(one.examples)}</span>,
        value: (one) => one.examples,
      },
      {
        id: 'splits',
        header: 'Splits',
        width: 'minmax(120px, 1fr)',
        cell: (one) => (
          <span className="num dim">
            {Object.entries(one.splits)
              .map(([split, size]) => `${split} ${count(size)}`)
              .join(' · ') || 'none'}
          </span>
        ),
      },
      {
        id: 'digest',
        header: 'Digest',
        width: '130px',
        cell: (one) => <Id value={one.digest} short={14} />,
      },
      {
        id: 'golden',
        header: 'Golden',
        width: 'minmax(120px, 1fr)',
        cell: (one) =>
          one.golden ? (
            <Status tone="good" word={`signed by ${one.golden_name || one.golden}`} />
          ) : may('editor') ? (
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconRosetteDiscountCheck size={13} stroke={1.6} />}
              onClick={(event) => {
                event.stopPropagation();
                setSigning(one);
              }}
            >
              Sign off
            </Button>
          ) : (
            <span className="dim">no</span>
          ),
      },
      {
        id: 'by',
        header: 'By',
        width: 'minmax(80px, 0.7fr)',
        cell: (one) => <span className="dim">{one.by_name || one.by}</span>,
      },
      { id: 'when', header: 'When', width: '80px', end: true, cell: (one) => <When ms={one.created_ms} /> },
      {
        id: 'diff',
        header: '',
        width: '34px',
        end: true,
        cell: (one) =>
          one.number > 1 ? (
            <Button
              size="compact-xs"
              variant="subtle"
              color="gray"
              aria-label={`What version ${one.number} changed`}
              onClick={(event) => {
                event.stopPropagation();
                set({ tab: 'diff', older: String(one.number - 1), newer: String(one.number) });
              }}
            >
              <IconArrowsDiff size={14} stroke={1.6} />
            </Button>
          ) : null,
      },
    ],
    [may, set],
  );
  return (
    <>
      <DataTable
        label="Versions"
        columns={columns}
        rows={versions}
        id={(one) => String(one.number)}
        onOpen={(one) => set({ tab: null, version: String(one.number) })}
        loading={query.isPending || query.isFetchingNextPage}
        more={query.hasNextPage}
        onMore={() => void query.fetchNextPage()}
        height="100%"
        empty={<Empty title="There is no version yet" />}
      />
      {signing && <Sign name={name} version={signing} onClose={() => setSigning(null)} />}
    </>
  );
}

function Sign({ name, version, onClose }: { name: string; version: DatasetVersion; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const [comment, setComment] = useState('');
  const sign = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/datasets/{name}/versions/{number}/sign', {
          params: { path: { name, number: version.number }, query: { project } },
          body: { comment },
        }),
      ),
    onSuccess: async () => {
      await Promise.all(
        ['datasets', 'dataset', 'dataset-versions'].map((key) =>
          cache.invalidateQueries({ queryKey: [key] }),
        ),
      );
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Sign version ${version.number} of ${name} off as golden`}>
      <div className={classes.form}>
        <p className={classes.words}>
          You say with your name that its {count(version.examples)} examples were looked at and are right.
          That cannot be taken back: a golden version is kept for good, and evaluations may name it as{' '}
          <code>{name}@golden</code>.
        </p>
        <Textarea
          label="What you looked at"
          autosize
          minRows={2}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {sign.error && (
          <p className={classes.wrong} role="alert">
            {sign.error.message}
          </p>
        )}
        <Button loading={sign.isPending} onClick={() => sign.mutate()}>
          Sign it off
        </Button>
      </div>
    </Modal>
  );
}
