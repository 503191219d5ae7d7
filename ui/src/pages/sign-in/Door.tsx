import type { ReactNode } from 'react';
import { Mark } from '../../app/Mark';
import classes from './Door.module.css';

/** The frame of the pages before sign-in. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.door}>
      <div className={classes.brand}>
        <Mark size={28} />
        noria
      </div>
      <div className={classes.card}>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
