/** One dataset: its examples, versions, differences, splits and how it was built. */
import { Button, Menu, NativeSelect } from '@mantine/core';
import { IconArrowLeft, IconDownload, IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { datasetQuery, datasetVersionsQuery, exportCheckQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { PageTabs } from '../../parts/PageTabs';
import { Status } from '../../parts/Status';
import { Builds } from './Builds';
import { DatasetDiff } from './DatasetDiff';
import { Examples } from './Examples';
import { ImportForm } from './Import';
import { Splits } from './Splits';
import { Versions } from './Versions';

const FORMATS = {
  jsonl: 'JSON Lines, whole',
  csv: 'CSV',
  parquet: 'Parquet',
  eval: 'For evaluation',
  chat: 'Training: chat',
  'prompt-completion': 'Training: prompt and completion',
  preference: 'Training: preference pairs',
  unpaired: 'Training: unpaired preference',
} as const;

export function DatasetPage() {
  const { name } = useParams({ from: '/shell/datasets/$name' });
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { version?: string; import?: string; split?: string };
  const set = useSetSearch();
  const may = useRole();
  const { data, error, refetch } = useQuery(datasetQuery(project, name));
  const versions = useInfiniteQuery(datasetVersionsQuery(project, name));
  const list = versions.data?.pages.flatMap((page) => page.items) ?? [];
  const number = Number(search.version) || data?.version?.number || 0;
  const version = list.find((one) => one.number === number) ?? data?.version ?? null;
  const back = (
    <Link to="/datasets">
      <IconArrowLeft size={14} /> Datasets
    </Link>
  );
  if (error) {
    return (
      <Page title={name} back={back}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  return (
    <Page
      title={name}
      back={back}
      full
      note={
        <>
          {version && `${count(version.examples)} examples`}
          {version?.golden && (
            <>
              {' '}
              <Status tone="good" word="golden" hint={`Signed off by ${version.golden_name}`} />
            </>
          )}
        </>
      }
      aside={
        <>
          <NativeSelect
            aria-label="Version"
            data={list.map((one) => ({
              value: String(one.number),
              label: `Version ${one.number}${one.golden ? ' ★' : ''}${one.number === data?.dataset.latest ? ', newest' : ''}`,
            }))}
            value={String(number)}
            onChange={(event) =>
              set({
                version:
                  Number(event.currentTarget.value) === data?.dataset.latest
                    ? null
                    : event.currentTarget.value,
                example: null,
              })
            }
          />
          {version && <ExportMenu name={name} version={String(version.number)} split={search.split ?? ''} />}
          {may('editor') && (
            <Button
              variant="default"
              leftSection={<IconUpload size={14} />}
              onClick={() => set({ import: '1' })}
            >
              Import
            </Button>
          )}
        </>
      }
    >
      {data && (
        <PageTabs
          clear={['example', 'q', 'tag', 'build']}
          tabs={[
            { id: 'examples', label: 'Examples', content: <Examples name={name} version={version} /> },
            {
              id: 'versions',
              label: `Versions ${data.dataset.latest}`,
              content: <Versions name={name} versions={list} query={versions} />,
            },
            {
              id: 'diff',
              label: 'Differences',
              content: <DatasetDiff name={name} latest={data.dataset.latest} />,
            },
            { id: 'splits', label: 'Splits', content: <Splits name={name} version={version} />, flows: true },
            { id: 'builds', label: 'Builds', content: <Builds name={name} />, flows: true },
          ]}
        />
      )}
      {search.import !== undefined && <ImportForm into={name} onClose={() => set({ import: null })} />}
    </Page>
  );
}

function ExportMenu({ name, version, split }: { name: string; version: string; split: string }) {
  return (
    <Menu position="bottom-end" width={340}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          Version {version}
          {split && `, split ${split}`}
        </Menu.Label>
        {Object.entries(FORMATS).map(([format, label]) => (
          <ExportItem
            key={format}
            format={format}
            label={label}
            name={name}
            version={version}
            split={split}
          />
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What a training format cannot hold is said before the file is taken. */
function ExportItem({
  format,
  label,
  name,
  version,
  split,
}: {
  format: string;
  label: string;
  name: string;
  version: string;
  split: string;
}) {
  const { project } = useScope();
  const { data, error } = useQuery(exportCheckQuery(project, name, format, version, split));
  const query = new URLSearchParams({ project, format, version, split });
  const [reason] = Object.keys(data?.reasons ?? {});
  return (
    <Menu.Item
      component="a"
      href={`/api/datasets/${encodeURIComponent(name)}/export?${query}`}
      download
      disabled={data?.written === 0}
    >
      {label}
      <span className="dim">
        {error ? ` · ${error.message}` : ''}
        {data && data.left_out > 0 && ` · ${count(data.left_out)} left out: ${reason}`}
      </span>
    </Menu.Item>
  );
}
