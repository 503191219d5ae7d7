/** What is to be judged: the conversation, the answer or the two, and what else may be known. */
import { Link } from '@tanstack/react-router';
import { LazyCode } from '../../parts/LazyCode';
import { conversation, type Turn } from '../trace/conversation';
import { Turns } from '../trace/Turns';
import type { Item } from './queries';
import classes from './Review.module.css';

export function ItemView({ item }: { item: Item }) {
  const pair = item.outputs.length === 2;
  return (
    <article className={classes.content} aria-label={`Item ${item.number}`}>
      <header className={classes.facts}>
        <span className="num">Item {item.number}</span>
        {item.trace && (
          <Link to="/traces/$id" params={{ id: item.trace }} className="dim">
            trace
          </Link>
        )}
      </header>
      <Asked input={item.input} />
      <div className={classes.outputs} data-pair={pair || undefined}>
        {item.outputs.map((output, index) => (
          <section
            key={'AB'[index]}
            className={classes.output}
            aria-label={pair ? `Output ${'AB'[index]}` : 'Output'}
          >
            <h3>
              {pair ? 'AB'[index] : 'Answer'}
              {output.name && <span className={classes.name}>{output.name}</span>}
            </h3>
            <div className={classes.text}>{output.text}</div>
          </section>
        ))}
      </div>
      {item.expected !== null && item.expected !== undefined && (
        <section className={classes.output} aria-label="Reference answer">
          <h3>Reference answer</h3>
          <div className={classes.text}>
            {typeof item.expected === 'string' ? item.expected : JSON.stringify(item.expected, null, 2)}
          </div>
        </section>
      )}
      <Facts title="Also known" values={item.shown} />
      <Facts title="Was hidden from reviewers" values={item.hidden} />
    </article>
  );
}

function Asked({ input }: { input: Item['input'] }) {
  const turns = spoken(input);
  if (turns) return <Turns turns={turns} />;
  const names = Object.keys(input);
  return (
    <div className={classes.variables}>
      {names.map((name) => (
        <div key={name}>
          {names.length > 1 || name !== 'input' ? <h3 className={classes.variable}>{name}</h3> : null}
          <Value value={input[name]} />
        </div>
      ))}
    </div>
  );
}

function spoken(input: Item['input']): Turn[] | null {
  return Array.isArray(input.messages)
    ? conversation(JSON.stringify({ messages: input.messages }), 'user')
    : null;
}

function Value({ value }: { value: unknown }) {
  if (typeof value === 'string') return <div className={classes.text}>{value}</div>;
  return <LazyCode value={JSON.stringify(value, null, 2)} label="Input as JSON" />;
}

function Facts({ title, values }: { title: string; values: Record<string, unknown> }) {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return (
    <details className={classes.known}>
      <summary>{title}</summary>
      <dl>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
