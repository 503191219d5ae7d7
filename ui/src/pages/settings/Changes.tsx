import type { Schemas } from '../../api/client';
import classes from './Settings.module.css';

const SIGN = { add: '+', change: '~', remove: '−' } as const;

/** The changes of a plan, one a line, with a sign, not colour alone. */
export function Changes({ changes }: { changes: readonly Schemas['ChangeBody'][] }) {
  if (changes.length === 0) return <p className={classes.words}>Nothing: it is what runs.</p>;
  return (
    <ul className={classes.changes}>
      {changes.map((change) => (
        <li key={change.path} data-kind={change.kind}>
          <span aria-hidden>{SIGN[change.kind]}</span>
          <code>{change.path}</code>
          <span className={classes.values}>
            {change.old !== null && <del>{change.old}</del>}
            {change.new !== null && <ins>{change.new}</ins>}
          </span>
        </li>
      ))}
    </ul>
  );
}
