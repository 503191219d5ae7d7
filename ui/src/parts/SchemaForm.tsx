/** Inputs for the variables of a JSON Schema; what has no input of its own is written as JSON. */
import { NativeSelect, NumberInput, Switch, Textarea } from '@mantine/core';

interface Property {
  type?: string;
  enum?: unknown[];
  description?: string;
  default?: unknown;
}

export interface ObjectSchema {
  properties?: Record<string, Property>;
  required?: string[];
}

interface Props {
  schema: ObjectSchema;
  values: Record<string, unknown>;
  onChange: (values: Record<string, unknown>) => void;
}

export function SchemaForm({ schema, values, onChange }: Props) {
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...rest } = values;
    onChange(value === undefined ? rest : { ...rest, [name]: value });
  };
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const common = {
      label: name,
      description: property.description,
      required: schema.required?.includes(name),
    };
    const value = values[name];
    if (property.enum) {
      return (
        <NativeSelect
          key={name}
          {...common}
          data={[
            {
              value: '',
              label: property.default === undefined ? '' : `${String(property.default)} (default)`,
            },
            ...property.enum.map(String),
          ]}
          value={value === undefined ? '' : String(value)}
          onChange={(event) =>
            set(
              name,
              property.enum?.find((each) => String(each) === event.currentTarget.value),
            )
          }
        />
      );
    }
    if (property.type === 'boolean') {
      return (
        <Switch
          key={name}
          label={name}
          description={property.description}
          checked={Boolean(value ?? property.default)}
          onChange={(event) => set(name, event.currentTarget.checked)}
        />
      );
    }
    if (property.type === 'number' || property.type === 'integer') {
      return (
        <NumberInput
          key={name}
          {...common}
          allowDecimal={property.type === 'number'}
          placeholder={property.default === undefined ? '' : String(property.default)}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => set(name, typeof next === 'number' ? next : undefined)}
        />
      );
    }
    if (property.type === undefined || property.type === 'string') {
      return (
        <Textarea
          key={name}
          {...common}
          autosize
          minRows={1}
          maxRows={8}
          placeholder={property.default === undefined ? '' : String(property.default)}
          value={typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)}
          onChange={(event) => set(name, event.currentTarget.value || undefined)}
        />
      );
    }
    return (
      <JsonInput
        key={name}
        {...common}
        type={property.type}
        value={value}
        onValue={(next) => set(name, next)}
      />
    );
  });
}

function JsonInput({
  label,
  description,
  required,
  type,
  value,
  onValue,
}: {
  label: string;
  description?: string;
  required?: boolean;
  type: string;
  value: unknown;
  onValue: (value: unknown) => void;
}) {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2);
  return (
    <Textarea
      label={label}
      description={description ?? `JSON, of type ${type}`}
      required={required}
      autosize
      minRows={2}
      maxRows={10}
      ff="monospace"
      value={text}
      error={typeof value === 'string' && value !== '' ? 'is not JSON yet' : undefined}
      onChange={(event) => {
        const next = event.currentTarget.value;
        if (next === '') return onValue(undefined);
        try {
          onValue(JSON.parse(next));
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          onValue(next);
        }
      }}
    />
  );
}
