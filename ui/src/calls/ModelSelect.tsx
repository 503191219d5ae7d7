/** Routes first, then models, with what all their targets can do. */
import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { callableQuery } from '../api/queries';
import { useScope } from '../app/scope';

interface Props {
  value: string | null;
  onChange: (value: string) => void;
  label: string;
  width?: number | string;
}

export function ModelSelect({ value, onChange, label, width }: Props) {
  const { project } = useScope();
  const { data, error } = useQuery(callableQuery(project));
  const items = (data?.items ?? []).filter(
    (model) => model.capabilities.length === 0 || model.capabilities.includes('chat') || model.id === value,
  );
  const missing = value && data && !items.some((model) => model.id === value);
  return (
    <Select
      aria-label={label}
      placeholder={error ? error.message : 'Model or route'}
      searchable
      allowDeselect={false}
      w={width}
      value={value}
      error={missing ? 'not configured' : undefined}
      comboboxProps={{ width: 320, position: 'bottom-start' }}
      data={[
        { group: 'Routes', items: items.filter((model) => model.route).map((model) => model.id) },
        { group: 'Models', items: items.filter((model) => !model.route).map((model) => model.id) },
      ]}
      onChange={(next) => next && onChange(next)}
    />
  );
}

/** The first that can be called, for a page that was told none; the route `default` where there is one. */
export function useFirstModels(howMany: number): string[] {
  const { project } = useScope();
  const { data } = useQuery(callableQuery(project));
  return (data?.items ?? [])
    .filter((model) => model.capabilities.length === 0 || model.capabilities.includes('chat'))
    .map((model) => model.id)
    .sort((a, b) => Number(b === 'default') - Number(a === 'default'))
    .slice(0, howMany);
}
