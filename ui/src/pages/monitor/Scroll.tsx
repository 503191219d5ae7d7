import type { ReactNode } from 'react';
import classes from './Monitor.module.css';

/** A table that may be wider than the page. */
export const Scroll = ({ label, children }: { label: string; children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
  <section className={classes.scroll} tabIndex={0} aria-label={label}>
    {children}
  </section>
);
