/** A page's head and body. `full` pages fill the window and scroll inside. */
import type { ReactNode } from 'react';
import classes from './Page.module.css';

interface Props {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  back?: ReactNode;
  full?: boolean;
  children: ReactNode;
}

export function Page({ title, note, aside, back, full, children }: Props) {
  return (
    <div className={classes.page} data-full={full || undefined}>
      {back && <div className={classes.back}>{back}</div>}
      <header className={classes.head}>
        <h1>{title}</h1>
        {note && <span className={`num ${classes.note}`}>{note}</span>}
        {aside && <div className={classes.aside}>{aside}</div>}
      </header>
      <div className={classes.body}>{children}</div>
    </div>
  );
}

/** A part of a page with a heading of its own. */
export function Section({
  title,
  note,
  aside,
  children,
}: {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={classes.section}>
      <header className={classes.sectionHead}>
        <h2>{title}</h2>
        {note && <span className={classes.note}>{note}</span>}
        {aside && <div className={classes.aside}>{aside}</div>}
      </header>
      {children}
    </section>
  );
}
