/** Counts by value beside a list; a click puts the value into the filter or takes it out. */
import { Skeleton, TextInput, UnstyledButton } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import classes from './Facets.module.css';
import { chosen } from './filter';
import { count } from './format';

/** Shown before "more" is asked for. */
const FEW = 6;

const NAMES: Record<string, string> = {
  status: 'Status',
  route: 'Route',
  model: 'Model',
  provider: 'Provider',
  user: 'User',
  team: 'Team',
  key: 'Key',
  cache: 'Cache',
  service: 'Service',
};

interface Props {
  data: Schemas['Facets'] | undefined;
  q: string;
  onToggle: (field: string, value: string) => void;
}

export function Facets({ data, q, onToggle }: Props) {
  if (!data) {
    return (
      <div className={classes.facets}>
        <Skeleton height={320} />
      </div>
    );
  }
  const fields = Object.keys(NAMES).filter((field) =>
    (data.fields[field] ?? []).some(({ value }) => value !== ''),
  );
  return (
    <div
      className={classes.facets}
      role="region"
      aria-label="Facets"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
    >
      {fields.map((field) => (
        <Field
          key={field}
          field={field}
          values={(data.fields[field] ?? []).filter(({ value }) => value !== '')}
          on={chosen(q, field)}
          onToggle={(value) => onToggle(field, value)}
        />
      ))}
      {data.sampled !== null && (
        <p className={classes.note}>Counted over the newest {count(data.sampled)} traces.</p>
      )}
    </div>
  );
}

interface FieldProps {
  field: string;
  values: Schemas['FacetValue'][];
  on: string[];
  onToggle: (value: string) => void;
}

function Field({ field, values, on, onToggle }: FieldProps) {
  const [all, setAll] = useState(false);
  const [find, setFind] = useState('');
  const most = Math.max(1, ...values.map((each) => each.count));
  const missing = on
    .filter((value) => !values.some((each) => each.value === value))
    .map((value) => ({ value, count: 0 }));
  const found = [...missing, ...values].filter(({ value }) =>
    value.toLowerCase().includes(find.toLowerCase()),
  );
  const shown = all ? found : found.slice(0, FEW);
  return (
    <section className={classes.field}>
      <h3>{NAMES[field]}</h3>
      {all && (
        <TextInput
          aria-label={`Find in ${NAMES[field]}`}
          placeholder="Find"
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
          mb={4}
        />
      )}
      {shown.map(({ value, count: times }) => {
        const here = on.includes(value);
        return (
          <UnstyledButton
            key={value}
            className={classes.value}
            aria-pressed={here}
            onClick={() => onToggle(value)}
            title={value}
          >
            <i className={classes.share} style={{ width: `${(times / most) * 100}%` }} />
            {here && <IconCheck size={12} aria-hidden />}
            <span className="ellipsis">{value}</span>
            <span className={`num ${classes.count}`}>{count(times)}</span>
          </UnstyledButton>
        );
      })}
      {values.length > FEW && (
        <UnstyledButton className={classes.more} onClick={() => setAll(!all)}>
          {all ? 'fewer' : `${values.length - FEW} more`}
        </UnstyledButton>
      )}
    </section>
  );
}
