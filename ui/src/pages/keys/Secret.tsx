import { Button, Modal } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { Command } from '../../parts/Command';
import classes from './Keys.module.css';

/** The token, shown this once. */
export function Secret({ made, onClose }: { made: Schemas['NewKey']; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      title={`The token of ${made.key.name}`}
      closeOnClickOutside={false}
      closeOnEscape={false}
      size="md"
    >
      <div className={classes.form}>
        <p className={classes.words}>
          Copy it now. It is not stored, and cannot be shown again; a lost token is replaced by rotating the
          key.
        </p>
        <Command text={made.token} />
        <p className={classes.words}>With the official SDK:</p>
        <Command
          text={`export OPENAI_BASE_URL=${window.location.origin}/v1\nexport OPENAI_API_KEY=${made.token}`}
        />
        <p className={classes.words}>
          {made.served.everywhere
            ? 'Every gateway worker accepts it already.'
            : `Workers ${made.served.waiting_for.join(', ')} have not confirmed it yet.`}
        </p>
        <Button onClick={onClose}>I have copied it</Button>
      </div>
    </Modal>
  );
}
