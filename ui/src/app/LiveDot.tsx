/** Whether the server answers: asked every 15 seconds, and drawn as a dot with a word. */
import { Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import classes from './LiveDot.module.css';

async function alive(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store' })).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

export function LiveDot() {
  const { data } = useQuery({ queryKey: ['alive'], queryFn: alive, refetchInterval: 15_000 });
  const words = data === undefined ? 'Asking the server' : data ? 'Connected' : 'The server does not answer';
  return (
    <Tooltip label={words}>
      <span className={classes.dot} data-state={data === false ? 'down' : 'up'} role="status">
        <span className="visually-hidden">{words}</span>
      </span>
    </Tooltip>
  );
}
