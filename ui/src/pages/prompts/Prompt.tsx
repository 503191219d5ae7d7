/** One prompt: a version with its render and findings, differences, promotion, use, and searches for a better one. */
import { Button, NativeSelect, Skeleton } from '@mantine/core';
import { IconArrowLeft, IconColumns2, IconPencil } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { promptQuery, promptVersionQuery, promptVersionsQuery } from '../../api/prompts';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { Page } from '../../parts/Page';
import { PageTabs } from '../../parts/PageTabs';
import { Optimizations } from '../optimizations/Optimizations';
import { Board } from './Board';
import { Editor } from './Editor';
import classes from './Prompts.module.css';
import { Usage } from './Usage';
import { VersionDiff } from './VersionDiff';
import { VersionView } from './VersionView';

export function PromptPage() {
  const { name } = useParams({ from: '/shell/prompts/$name' });
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { at?: string; edit?: string };
  const set = useSetSearch();
  const may = useRole();
  const { data, error, refetch } = useQuery(promptQuery(project, name));
  const query = useInfiniteQuery(promptVersionsQuery(project, name));
  const versions = query.data?.pages.flatMap((page) => page.items) ?? [];
  const newest = data?.version ?? versions[0] ?? null;
  const at = search.at ?? (newest ? String(newest.number) : '');
  const known = [...versions, ...(newest ? [newest] : [])].find((one) => String(one.number) === at);
  const asked = useQuery({ ...promptVersionQuery(project, name, at), enabled: at !== '' && !known });
  const version = known ?? asked.data ?? null;
  const fault = error ?? asked.error;
  const back = (
    <Link to="/prompts">
      <IconArrowLeft size={14} /> Prompts
    </Link>
  );
  if (fault) {
    return (
      <Page title={name} back={back}>
        <Failure error={fault} retry={() => void refetch()} />
      </Page>
    );
  }
  // The editor takes what it begins with once: it must not open before that is here.
  if (data && (newest ? search.edit !== undefined && version : true)) {
    return (
      <Editor
        key={search.edit}
        name={name}
        branch={search.edit || 'main'}
        from={version}
        back={back}
        onDone={(number) => set({ edit: null, at: number === null ? (search.at ?? null) : String(number) })}
      />
    );
  }
  const labels = (number: number) =>
    data?.prompt.labels.filter((label) => label.number === number).map((label) => label.name) ?? [];
  return (
    <Page
      title={name}
      back={back}
      note={data?.prompt.description}
      full
      aside={
        <>
          <NativeSelect
            aria-label="Version"
            data={[
              ...(!version || versions.includes(version) ? [] : [String(version.number)]),
              ...versions.map((one) => ({
                value: String(one.number),
                label: `Version ${one.number}${one.branch === 'main' ? '' : `, ${one.branch}`}${labels(one.number).length > 0 ? `, ${labels(one.number).join(', ')}` : ''}`,
              })),
            ]}
            value={version ? String(version.number) : ''}
            onChange={(event) => set({ at: event.currentTarget.value })}
          />
          {version && (
            <Button
              component={Link}
              to="/playground"
              search={{ prompt: `${name}@${version.number}` } as never}
              variant="default"
              leftSection={<IconColumns2 size={14} stroke={1.6} />}
            >
              Try in Playground
            </Button>
          )}
          {may('editor') && (
            <Button
              leftSection={<IconPencil size={14} />}
              onClick={() => set({ edit: version?.branch ?? 'main' })}
            >
              New version
            </Button>
          )}
        </>
      }
    >
      {!data || !version ? (
        <Skeleton height={320} m="lg" />
      ) : (
        <PageTabs
          clear={['label', 'before', 'optimize']}
          tabs={[
            {
              id: 'version',
              label: `Version ${version.number}`,
              flows: true,
              content: (
                <VersionView
                  key={version.digest}
                  name={name}
                  version={version}
                  labels={labels(version.number)}
                />
              ),
            },
            {
              id: 'diff',
              label: 'Differences',
              flows: true,
              content: <VersionDiff name={name} version={version} versions={versions} />,
            },
            {
              id: 'board',
              label: 'Promotion',
              flows: true,
              content: <Board name={name} labels={data.prompt.labels} versions={versions} query={query} />,
            },
            {
              id: 'use',
              label: 'Use',
              flows: true,
              content: <Usage name={name} versions={versions} labels={data.prompt.labels} />,
            },
            {
              id: 'optimize',
              label: 'Optimize',
              content: <Optimizations name={name} version={version.number} />,
            },
          ]}
        />
      )}
      <span className={classes.end} />
    </Page>
  );
}
