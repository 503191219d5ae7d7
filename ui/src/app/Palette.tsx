/** ⌘K: pages, models, sessions and traces by name or id. */
import { Spotlight, type SpotlightActionData, spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { IconListDetails, IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { NAVIGATION } from './navigation';
import { usePaletteSources } from './sources';

export function Palette({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const sources = usePaletteSources();
  useEffect(() => spotlight.open(), []);

  const word = query.trim();
  const id = /^[0-9a-f]{32}$/.test(word) ? word : null;
  const pages: SpotlightActionData[] = NAVIGATION.flatMap(({ pages }) =>
    pages.map(({ to, label, icon: Icon }) => ({
      id: to,
      label,
      group: 'Pages',
      leftSection: <Icon size={16} stroke={1.7} />,
      onClick: () => void navigate({ to }),
    })),
  );
  const direct: SpotlightActionData[] = word
    ? [
        ...(id
          ? [
              {
                id: 'trace',
                label: `Trace ${id}`,
                keywords: [word],
                leftSection: <IconListDetails size={16} stroke={1.7} />,
                onClick: () => void navigate({ to: '/traces/$id', params: { id } }),
              },
            ]
          : []),
        {
          id: 'search',
          label: `Search traces for “${word}”`,
          keywords: [word],
          leftSection: <IconSearch size={16} stroke={1.7} />,
          onClick: () => void navigate({ to: '/traces', search: { q: word } as never }),
        },
      ]
    : [];

  return (
    <Spotlight
      actions={[...pages, ...sources, ...direct]}
      query={query}
      onQueryChange={setQuery}
      onSpotlightClose={close}
      shortcut={null}
      limit={12}
      highlightQuery
      scrollable
      maxHeight={420}
      nothingFound="Nothing has that name"
      transitionProps={{ duration: 80 }}
      searchProps={{
        'aria-label': 'Find anything',
        placeholder: 'A page, model, session, trace id, or words in a trace',
        leftSection: <IconSearch size={18} stroke={1.6} />,
      }}
    />
  );
}
