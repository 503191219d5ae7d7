/** The one reading line over all charts of the page: a time in Unix milliseconds, or null. */
import { useSyncExternalStore } from 'react';

let at: number | null = null;
const listeners = new Set<() => void>();

export function setReading(ms: number | null) {
  if (ms === at) return;
  at = ms;
  for (const each of listeners) each();
}

export const reading = () => at;

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export const useReading = () => useSyncExternalStore(subscribe, reading);
