/** One queue: work through it, decide disputes, look at items, agreement and guidelines. */
import { Button, Tabs } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { api, ask } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Agreement } from './Agreement';
import { Done } from './Done';
import { Guidelines } from './Guidelines';
import { Items } from './Items';
import { queueQuery } from './queries';
import classes from './Review.module.css';
import { Work } from './Work';

const TABS = ['work', 'decide', 'items', 'agreement', 'guidelines'] as const;

export function QueuePage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const search = useSearch({ strict: false }) as { tab?: string };
  const { project } = useScope();
  const set = useSetSearch();
  const may = useRole();
  const cache = useQueryClient();
  const queue = useQuery(queueQuery(project, name));
  const close = useMutation({
    mutationFn: (closed: boolean) =>
      ask(
        api.PATCH('/api/queues/{name}', {
          params: { path: { name }, query: { project } },
          body: { closed },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['queues', project] }),
  });
  const found = queue.data;
  const usual = may('editor') ? 'work' : 'items';
  const tab = TABS.find((each) => each === search.tab) ?? usual;
  return (
    <Page
      title={name}
      note={found && <Done progress={found.progress} />}
      back={
        <Link to="/review">
          <IconArrowLeft size={13} /> Review
        </Link>
      }
      aside={
        found &&
        may('admin') && (
          <Button variant="default" loading={close.isPending} onClick={() => close.mutate(!found.closed)}>
            {found.closed ? 'Open the queue' : 'Close the queue'}
          </Button>
        )
      }
    >
      {(queue.error ?? close.error) && (
        <Failure error={queue.error ?? close.error} retry={() => void queue.refetch()} />
      )}
      {found && (
        <Tabs
          value={tab}
          onChange={(next) => set({ tab: next === usual ? null : next, item: null })}
          keepMounted={false}
        >
          <Tabs.List px="sm" className={classes.tabs}>
            {may('editor') && (
              <Tabs.Tab px="sm" py="sm" value="work">
                Work{found.left > 0 && <span className={classes.count}>{count(found.left)}</span>}
              </Tabs.Tab>
            )}
            {may('editor') && (
              <Tabs.Tab px="sm" py="sm" value="decide">
                Decide{found.to_decide > 0 && <span className={classes.count}>{count(found.to_decide)}</span>}
              </Tabs.Tab>
            )}
            <Tabs.Tab px="sm" py="sm" value="items">
              Items
            </Tabs.Tab>
            <Tabs.Tab px="sm" py="sm" value="agreement">
              Agreement
            </Tabs.Tab>
            <Tabs.Tab px="sm" py="sm" value="guidelines">
              Guidelines
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="work">
            <Work key="review" queue={found} part="review" />
          </Tabs.Panel>
          <Tabs.Panel value="decide">
            <Work key="adjudication" queue={found} part="adjudication" />
          </Tabs.Panel>
          <Tabs.Panel value="items">
            <Items queue={found} />
          </Tabs.Panel>
          <Tabs.Panel value="agreement">
            <Agreement queue={found} />
          </Tabs.Panel>
          <Tabs.Panel value="guidelines">
            <Guidelines queue={found} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}
