/** A panel beside the list that leaves the list usable: no overlay, no trap of the focus; esc closes it. */
import { CloseButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useShortcuts } from '../app/shortcuts';
import classes from './PeekPanel.module.css';

export function PeekPanel({
  label,
  onClose,
  children,
}: {
  label: string;
  onClose: () => void;
  children: ReactNode;
}) {
  useShortcuts([{ keys: 'esc', label: 'Close the panel', group: 'Everywhere', run: onClose }]);
  return (
    <aside className={classes.panel} aria-label={label}>
      <CloseButton className={classes.close} aria-label="Close the panel" onClick={onClose} />
      {children}
    </aside>
  );
}
