import type { Made } from '../../api/client';
import { Status } from '../../parts/Status';
import classes from './Settings.module.css';

const SIGN = { added: '+', changed: '~', removed: '−' } as const;

/** The changes of a plan, with a sign, not colour alone; what makes Noria less safe stands out. */
export function Changes({ changes }: { changes: Made<'/api/config/plan'>['changes'] }) {
  if (changes.length === 0) return <p className={classes.words}>Nothing: it is what runs.</p>;
  return (
    <ul className={classes.changes}>
      {changes.map((change) => {
        const path = change.path.join('.');
        return (
          <li key={path} data-kind={change.kind}>
            <span role="img" aria-label={change.kind}>
              {SIGN[change.kind]}
            </span>
            <code>{path}</code>
            <span className={classes.values}>
              {said(change.before) && <del>{said(change.before)}</del>}
              {said(change.after) && <ins>{said(change.after)}</ins>}
              {change.effect && <span className="dim">{change.effect}</span>}
              {change.weakens && <Status tone="warn" word={change.weakens} />}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function said(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
