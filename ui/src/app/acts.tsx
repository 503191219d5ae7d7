/** What the palette can do: begin things, and go to the parts of pages. */
import { useMantineColorScheme } from '@mantine/core';
import type { SpotlightActionData } from '@mantine/spotlight';
import { IconBulb, IconPlayerPlay, IconPlus, IconSettings, IconUpload } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useRole } from './role';
import type { Group } from './sources';

const SETTINGS = ['Accounts', 'Approvals', 'Audit', 'Health', 'Erasure', 'Appearance'];

export function useActs(): Group[] {
  const navigate = useNavigate();
  const may = useRole();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const icon = (Icon: typeof IconPlus) => <Icon size={16} stroke={1.7} />;
  const go = (label: string, Icon: typeof IconPlus, to: string, search: object): SpotlightActionData => ({
    id: `act ${label}`,
    label,
    leftSection: icon(Icon),
    onClick: () => void navigate({ to, search: search as never } as never),
  });
  const makes = [
    go('New prompt', IconPlus, '/prompts', { new: '1' }),
    go('New evaluation run', IconPlayerPlay, '/evaluations', { new: '1' }),
    go('Import a dataset', IconUpload, '/datasets', { import: '1' }),
  ];
  const dark = document.documentElement.dataset.mantineColorScheme === 'dark';
  return [
    {
      group: 'Do',
      actions: [
        ...(may('editor') ? makes : []),
        {
          id: 'act scheme',
          label: dark ? 'Light colours' : 'Dark colours',
          keywords: ['theme', 'dark', 'light', colorScheme],
          leftSection: icon(IconBulb),
          onClick: () => setColorScheme(dark ? 'light' : 'dark'),
        },
      ],
    },
    {
      group: 'Parts of pages',
      actions: [
        go('Gates', IconSettings, '/evaluations', { tab: 'gates' }),
        go('Configured evaluations', IconSettings, '/evaluations', { tab: 'configured' }),
        go('Studies', IconSettings, '/evaluations', { tab: 'studies' }),
        go('Budgets', IconSettings, '/keys', { tab: 'budgets' }),
        go('Local weights', IconSettings, '/models', { tab: 'weights' }),
        go('All cards of models', IconSettings, '/models', { tab: 'cards' }),
        go('Settings: Configuration', IconSettings, '/settings', {}),
        ...SETTINGS.map((name) =>
          go(`Settings: ${name}`, IconSettings, '/settings', { tab: name.toLowerCase() }),
        ),
      ],
    },
  ];
}
