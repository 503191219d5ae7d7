import { ActionIcon, Button, Textarea, Tooltip } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './Chat.module.css';

/** What was asked; it can be changed and asked again. */
export function Question({ text, onEdit }: { text: string; onEdit: ((text: string) => void) | null }) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft !== null) {
    return (
      <form
        className={classes.editing}
        onSubmit={(event) => {
          event.preventDefault();
          setDraft(null);
          if (draft.trim()) onEdit?.(draft.trim());
        }}
      >
        <Textarea
          aria-label="Change the question"
          autosize
          autoFocus
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
        />
        <div className={classes.buttons}>
          <Button type="submit">Ask again from here</Button>
          <Button variant="default" onClick={() => setDraft(null)}>
            Cancel
          </Button>
        </div>
      </form>
    );
  }
  return (
    <div className={classes.question}>
      {onEdit && (
        <Tooltip label="Change and ask again">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={26}
            aria-label="Change the question"
            onClick={() => setDraft(text)}
            className={classes.edit}
          >
            <IconPencil size={14} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      )}
      <div className={classes.asked}>{text}</div>
    </div>
  );
}
