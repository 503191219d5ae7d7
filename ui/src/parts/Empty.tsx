/** What the place is for, and the one command or button that fills it. */
import type { ReactNode } from 'react';
import { Command } from './Command';
import classes from './State.module.css';

export function Empty({
  title,
  children,
  command,
  action,
}: {
  title: string;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}) {
  return (
    <div className={classes.state}>
      <div className={classes.title}>{title}</div>
      {children && <div className={classes.words}>{children}</div>}
      {command && <Command text={command} />}
      {action}
    </div>
  );
}
