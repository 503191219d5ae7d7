import { ActionIcon, Button, CopyButton, Popover, Textarea, Tooltip } from '@mantine/core';
import {
  IconCheck,
  IconCopy,
  IconRefresh,
  IconThumbDown,
  IconThumbDownFilled,
  IconThumbUp,
  IconThumbUpFilled,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import classes from './Chat.module.css';
import { blocks, type Turn } from './history';

interface Props {
  turn: Turn;
  project: string;
  live?: boolean;
  onRetry?: (() => void) | null;
  onThumb?: (thumb: boolean) => void;
}

export function Answer({ turn, project, live, onRetry, onThumb }: Props) {
  return (
    <div className={classes.answer} aria-busy={live}>
      {blocks(turn.text).map((block, index) =>
        block.kind === 'code' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only added at the end
          <Fenced key={index} text={block.text} language={block.language} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          <p key={index}>{block.text}</p>
        ),
      )}
      {live && <i className={classes.caret} aria-hidden />}
      {turn.error && (
        <div className={classes.error} role="alert">
          {turn.error}
        </div>
      )}
      {turn.stopped && <div className={classes.note}>Stopped.</div>}
      {!live && (
        <div className={classes.tools}>
          <CopyButton value={turn.text}>
            {({ copied, copy }) => (
              <Tool label={copied ? 'Copied' : 'Copy'} onClick={copy}>
                {copied ? <IconCheck size={14} /> : <IconCopy size={14} stroke={1.6} />}
              </Tool>
            )}
          </CopyButton>
          {onRetry && (
            <Tool label="Try again" onClick={onRetry}>
              <IconRefresh size={14} stroke={1.6} />
            </Tool>
          )}
          {turn.trace && onThumb && <Thumbs turn={turn} project={project} onThumb={onThumb} />}
          {turn.trace && (
            <Link to="/traces/$id" params={{ id: turn.trace }} className={classes.trace}>
              Trace
            </Link>
          )}
        </div>
      )}
    </div>
  );
}

function Tool({
  label,
  onClick,
  children,
}: {
  label: string;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={26} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** One click counts; the reason is asked after it, and may be left out. */
function Thumbs({
  turn,
  project,
  onThumb,
}: {
  turn: Turn;
  project: string;
  onThumb: (thumb: boolean) => void;
}) {
  const [reason, setReason] = useState('');
  const [asking, setAsking] = useState(false);
  const give = useMutation({
    mutationFn: (body: { kind: 'thumb' | 'comment'; value?: boolean; comment?: string }) =>
      ask(
        api.POST('/api/feedback', {
          params: { query: { project } },
          body: { trace: turn.trace ?? '', name: 'helpful', ...body },
        }),
      ),
  });
  const press = (value: boolean) => {
    give.mutate(
      { kind: 'thumb', value },
      {
        onSuccess: () => {
          onThumb(value);
          setAsking(true);
        },
      },
    );
  };
  return (
    <Popover opened={asking} onChange={setAsking} position="bottom-start" width={260} trapFocus>
      <Popover.Target>
        <span className={classes.thumbs}>
          <Tool label="This helped" onClick={() => press(true)}>
            {turn.thumb === true ? <IconThumbUpFilled size={14} /> : <IconThumbUp size={14} stroke={1.6} />}
          </Tool>
          <Tool label="This did not help" onClick={() => press(false)}>
            {turn.thumb === false ? (
              <IconThumbDownFilled size={14} />
            ) : (
              <IconThumbDown size={14} stroke={1.6} />
            )}
          </Tool>
          {give.error && <span className={classes.note}>{give.error.message}</span>}
        </span>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className={classes.reason}
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim()) give.mutate({ kind: 'comment', comment: reason.trim() });
            setAsking(false);
          }}
        >
          <Textarea
            label="Why? (optional)"
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Button type="submit">Thank you</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

function Fenced({ text, language }: { text: string; language: string }) {
  return (
    <div className={classes.fenced}>
      <div className={classes.fencedHead}>
        {language || 'code'}
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Tool label={copied ? 'Copied' : 'Copy the code'} onClick={copy}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} stroke={1.6} />}
            </Tool>
          )}
        </CopyButton>
      </div>
      <pre>{text}</pre>
    </div>
  );
}
