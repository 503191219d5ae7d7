/** What failed, what to do, and a way to try again. */
import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiError } from '../api/client';
import classes from './State.module.css';

export function Failure({ error, retry, whole }: { error: unknown; retry?: () => void; whole?: boolean }) {
  const words = error instanceof Error ? error.message : 'Something failed.';
  return (
    <div className={classes.state} data-whole={whole || undefined} role="alert">
      <IconAlertTriangle size={20} stroke={1.6} className={classes.bad} aria-hidden />
      <div>{words}</div>
      {error instanceof ApiError && error.status > 0 && (
        <div className={classes.code}>
          {error.code} · {error.status}
        </div>
      )}
      {retry && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
