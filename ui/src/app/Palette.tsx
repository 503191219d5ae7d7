/** ⌘K: pages, what can be done, and everything by name or id. */
import { Spotlight, type SpotlightActionData, spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { IconListDetails, IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useActs } from './acts';
import { NAVIGATION } from './navigation';
import { ranked } from './rank';
import { type Group, usePaletteSources } from './sources';

/** Of one kind; more are found by a longer query. */
const MOST = 6;

export function Palette({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const sources = usePaletteSources();
  const acts = useActs();
  useEffect(() => spotlight.open(), []);

  const word = query.trim();
  const pages: Group = {
    group: 'Pages',
    actions: NAVIGATION.flatMap(({ pages }) =>
      pages.map(({ to, label, icon: Icon }) => ({
        id: to,
        label,
        leftSection: <Icon size={16} stroke={1.7} />,
        onClick: () => void navigate({ to }),
      })),
    ),
  };
  const direct: SpotlightActionData[] = [
    ...(/^[0-9a-f]{32}$/.test(word)
      ? [
          {
            id: 'trace',
            label: `Trace ${word}`,
            leftSection: <IconListDetails size={16} stroke={1.7} />,
            onClick: () => void navigate({ to: '/traces/$id', params: { id: word } }),
          },
        ]
      : []),
    {
      id: 'search',
      label: `Search traces for “${word}”`,
      leftSection: <IconSearch size={16} stroke={1.7} />,
      onClick: () => void navigate({ to: '/traces', search: { q: word } as never }),
    },
  ];

  return (
    <Spotlight
      actions={[pages, ...acts, ...sources]}
      filter={(typed, groups) => found(typed.trim(), groups as Group[], direct)}
      query={query}
      onQueryChange={setQuery}
      onSpotlightClose={close}
      shortcut={null}
      highlightQuery
      scrollable
      maxHeight={440}
      nothingFound="Nothing has that name"
      transitionProps={{ duration: 80 }}
      searchProps={{
        'aria-label': 'Find anything',
        placeholder: 'A page, prompt, dataset, run, model, id, or words in a trace',
        leftSection: <IconSearch size={18} stroke={1.6} />,
      }}
    />
  );
}

/** Without a query, pages and what can be done; else the group with the best hit first. */
function found(query: string, groups: Group[], direct: SpotlightActionData[]): Group[] {
  if (!query) return groups.filter(({ group }) => group === 'Pages' || group === 'Do');
  const every = ranked(
    query,
    groups.flatMap(({ group, actions }) => actions.map((action) => ({ ...action, group }))),
  );
  const order = [...new Set(every.map((one) => one.group))];
  return [
    ...order.map((group) => ({
      group,
      actions: every
        .filter((one) => one.group === group)
        .slice(0, MOST)
        .map(({ group: _, ...action }) => action as SpotlightActionData),
    })),
    { group: 'Traces', actions: direct },
  ];
}
