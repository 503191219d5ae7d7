/** The rail: only pages that exist. */
import {
  IconActivityHeartbeat,
  IconAdjustmentsHorizontal,
  IconBellRinging,
  IconChartDots,
  IconChecklist,
  IconCoin,
  IconColumns2,
  IconCpu,
  IconDatabase,
  IconFileText,
  IconKey,
  IconListDetails,
  IconMessage,
  IconMessages,
  IconScale,
} from '@tabler/icons-react';

export const NAVIGATION = [
  {
    group: 'Build',
    pages: [
      { to: '/prompts', label: 'Prompts', icon: IconFileText, key: 'g w' },
      { to: '/playground', label: 'Playground', icon: IconColumns2, key: 'g p' },
      { to: '/chat', label: 'Chat', icon: IconMessage, key: 'g c' },
      { to: '/models', label: 'Models', icon: IconCpu, key: 'g m' },
    ],
  },
  {
    group: 'Observe',
    pages: [
      { to: '/', label: 'Pulse', icon: IconActivityHeartbeat, key: 'g h' },
      { to: '/traces', label: 'Traces', icon: IconListDetails, key: 'g t' },
      { to: '/sessions', label: 'Sessions', icon: IconMessages, key: 'g s' },
      { to: '/costs', label: 'Costs', icon: IconCoin, key: 'g o' },
      { to: '/monitor', label: 'Monitor', icon: IconBellRinging, key: 'g a' },
    ],
  },
  {
    group: 'Improve',
    pages: [
      { to: '/datasets', label: 'Datasets', icon: IconDatabase, key: 'g d' },
      { to: '/evaluations', label: 'Evaluations', icon: IconChartDots, key: 'g v' },
      { to: '/judges', label: 'Judges', icon: IconScale, key: 'g j' },
      { to: '/review', label: 'Review', icon: IconChecklist, key: 'g r' },
    ],
  },
  {
    group: 'Govern',
    pages: [
      { to: '/keys', label: 'Keys & budgets', icon: IconKey, key: 'g k' },
      { to: '/settings', label: 'Settings', icon: IconAdjustmentsHorizontal, key: 'g e' },
    ],
  },
] as const;
