/** A version as it is written, how it renders with given variables, and what lint says. */
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { lintQuery, type PromptVersion, renderQuery } from '../../api/prompts';
import { useScope } from '../../app/scope';
import { count } from '../../parts/format';
import { type ObjectSchema, SchemaForm } from '../../parts/SchemaForm';
import { Id, When } from '../../parts/Value';
import { Findings } from './Findings';
import classes from './Prompts.module.css';

interface Props {
  name: string;
  version: PromptVersion;
  labels: readonly string[];
}

export function VersionView({ name, version, labels }: Props) {
  const { project } = useScope();
  const { content } = version;
  const [values, setValues] = useState<Record<string, unknown>>({});
  const [settled] = useDebouncedValue(values, 300);
  const schema = content.variables as ObjectSchema;
  const lacking = (schema.required ?? []).filter((each) => settled[each] === undefined);
  const at = String(version.number);
  const lint = useQuery(lintQuery(project, name, null, at));
  const render = useQuery({
    ...renderQuery(project, name, null, at, settled),
    enabled: lacking.length === 0,
  });
  const more: [string, unknown][] = [
    ['Parameters', content.parameters],
    ['Tools', content.tools],
    ['Response schema', content.response_format],
    ['Technique', content.technique],
    ['Composed of', content.includes],
  ];
  return (
    <div className={classes.view}>
      <div className={classes.side}>
        <dl className={classes.facts}>
          <Fact name="Digest">
            <Id value={version.digest} short={18} />
          </Fact>
          <Fact name="Made">
            <When ms={version.created_ms} /> <span className="dim">by {version.by_name || version.by}</span>
          </Fact>
          <Fact name="Model">{content.model || 'as the caller says'}</Fact>
          <Fact name="Tokens">
            <span className="num" title={version.method}>
              {count(version.tokens)} <span className="dim">estimated, without variables</span>
            </span>
          </Fact>
          <Fact name="Branch">{version.branch}</Fact>
          {labels.length > 0 && <Fact name="Labels">{labels.join(', ')}</Fact>}
          {version.comment && <Fact name="What is new">{version.comment}</Fact>}
        </dl>
        <Messages messages={content.messages.map(({ role, template }) => ({ role, text: template }))} />
        {more
          .filter(([, value]) => value && Object.keys(value).length > 0)
          .map(([title, value]) => (
            <section key={title}>
              <h3>{title}</h3>
              <pre className={classes.json}>{JSON.stringify(value, null, 2)}</pre>
            </section>
          ))}
        <section>
          <h3>Findings</h3>
          <Findings lint={lint.data} error={lint.error} />
        </section>
      </div>
      <div className={classes.side}>
        <h3>Rendered</h3>
        <div className={classes.form}>
          <SchemaForm schema={schema} values={values} onChange={setValues} />
        </div>
        {lacking.length > 0 ? (
          <p className={classes.words}>Fill in {lacking.join(', ')} to see what a model would be given.</p>
        ) : render.error ? (
          <p className={classes.wrong} role="alert">
            {render.error.message}
          </p>
        ) : (
          render.data && (
            <>
              <Messages messages={render.data.messages} />
              <p className={classes.words}>
                {count(render.data.tokens)} tokens, {render.data.method}.
                {render.data.chosen === false &&
                  ' Examples are chosen when the call is made; they are not shown here.'}
              </p>
            </>
          )
        )}
      </div>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const VARIABLE = /(\{\{.*?\}\}|\{%.*?%\})/s;

/** Role-marked texts; what the template puts in stands out. */
export function Messages({ messages }: { messages: readonly { role: string; text: string }[] }) {
  return messages.map((message, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
    <article key={index} className={classes.message}>
      <header>{message.role}</header>
      <pre>
        {message.text.length > 20_000
          ? message.text
          : message.text.split(VARIABLE).map((part, place) =>
              VARIABLE.test(part) ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: told apart by their place only
                <mark key={place}>{part}</mark>
              ) : (
                part
              ),
            )}
      </pre>
    </article>
  ));
}
