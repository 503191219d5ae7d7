/** The page's keys: registered where they act, listed under `?`. Sequences such as `g t` are two strokes. */
import { useEffect, useRef } from 'react';

export interface Shortcut {
  keys: string;
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
}

const active = new Set<readonly Shortcut[]>();
let first = '';
let firstAt = 0;

/** Those that are in force, in groups, the latest page's last. */
export function listed(): Map<string, Shortcut[]> {
  const groups = new Map<string, Shortcut[]>();
  for (const each of [...active].flat()) {
    const group = groups.get(each.group) ?? [];
    if (!group.some((other) => other.keys === each.keys)) groups.set(each.group, [...group, each]);
  }
  return groups;
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

/** The stroke's name: `mod+k`, `/`, `enter`, `shift+enter`; null while typing plain letters. */
export function stroke(event: KeyboardEvent): string | null {
  const mod = event.metaKey || event.ctrlKey;
  if (event.altKey || (typing(event.target) && !mod && event.key !== 'Escape')) return null;
  const names: Record<string, string> = { ' ': 'space', Escape: 'esc', ArrowDown: 'down', ArrowUp: 'up' };
  const key = names[event.key] ?? event.key.toLowerCase();
  const shift = event.shiftKey && event.key.length > 1 ? 'shift+' : '';
  return `${mod ? 'mod+' : ''}${shift}${key}`;
}

function find(keys: string): Shortcut | undefined {
  return [...active]
    .reverse()
    .flat()
    .find((each) => each.keys === keys);
}

function dispatch(event: KeyboardEvent) {
  if (event.defaultPrevented) return;
  const name = stroke(event);
  if (!name) return;
  const overlay = document.querySelector('[role="dialog"][aria-modal="true"]');
  if (overlay && name !== 'mod+k') return;
  // A button or link that has the focus keeps enter and space for itself.
  const own =
    event.target instanceof Element && event.target.closest('button,a,summary,[role="tab"],[role="option"]');
  if (own && (name === 'enter' || name === 'space')) return;
  const sequence = Date.now() - firstAt < 800 ? `${first} ${name}` : '';
  first = name;
  firstAt = Date.now();
  const found = (sequence && find(sequence)) || find(name);
  if (found) {
    event.preventDefault();
    found.run(event);
  }
}

/** Keeps these in force while the component is mounted. Later ones win over earlier ones. */
export function useShortcuts(shortcuts: readonly Shortcut[]) {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const shape = shortcuts.map((each) => `${each.keys}\n${each.label}\n${each.group}`).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: registered again only when keys or words change
  useEffect(() => {
    const own = latest.current.map((each, index) => ({
      ...each,
      run: (event: KeyboardEvent) => latest.current[index]?.run(event),
    }));
    if (active.size === 0) window.addEventListener('keydown', dispatch);
    active.add(own);
    return () => {
      active.delete(own);
      if (active.size === 0) window.removeEventListener('keydown', dispatch);
    };
  }, [shape]);
}
