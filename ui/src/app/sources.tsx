/** What the palette finds beside pages: models, and the keys of this project. */
import type { SpotlightActionData } from '@mantine/spotlight';
import { IconCpu, IconKey } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { keysQuery, modelsQuery } from '../api/queries';
import { useScope } from './scope';

export function usePaletteSources(): SpotlightActionData[] {
  const scope = useScope();
  const navigate = useNavigate();
  const models = useQuery(modelsQuery({ ...scope, from: '-7d', to: 'now' }));
  const keys = useQuery(keysQuery(scope.project, false));
  return [
    ...(models.data?.items ?? []).map((model) => ({
      id: `model ${model.id}`,
      label: model.id,
      description: model.card.name,
      leftSection: <IconCpu size={16} stroke={1.7} />,
      onClick: () => void navigate({ to: '/models', search: { model: model.id } as never }),
    })),
    ...(keys.data?.items ?? []).map((key) => ({
      id: key.id,
      label: key.name,
      description: `Key ${key.id}`,
      keywords: [key.id, key.hint],
      leftSection: <IconKey size={16} stroke={1.7} />,
      onClick: () => void navigate({ to: '/keys', search: { key: key.id } as never }),
    })),
  ];
}
