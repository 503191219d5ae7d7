/** A state as shape, colour and word; never colour alone. */
import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleXFilled,
} from '@tabler/icons-react';
import classes from './Status.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'none';

const ICONS = {
  good: IconCircleCheckFilled,
  warn: IconAlertTriangleFilled,
  bad: IconCircleXFilled,
  none: IconCircleDashed,
};

export function Status({
  tone,
  word,
  bare,
  hint,
}: {
  tone: Tone;
  word: string;
  bare?: boolean;
  hint?: string;
}) {
  const Icon = ICONS[tone];
  return (
    <span className={classes.status} data-tone={tone} title={hint ?? (bare ? word : undefined)}>
      <Icon
        size={14}
        aria-hidden={!bare}
        role={bare ? 'img' : undefined}
        aria-label={bare ? word : undefined}
      />
      {!bare && word}
    </span>
  );
}

/** The state of a trace or span, in the words that the API uses. */
export function TraceStatus({
  status,
  kind,
  http,
  unconfirmed,
  bare,
}: {
  status: string;
  kind?: string;
  http?: number | null;
  unconfirmed?: boolean;
  bare?: boolean;
}) {
  if (unconfirmed) {
    return (
      <Status tone="warn" word="unconfirmed" bare={bare} hint="The process died before this call ended" />
    );
  }
  if (status === 'error') {
    return <Status tone="bad" word={[kind || 'error', http].filter(Boolean).join(' · ')} bare={bare} />;
  }
  return status === 'ok' ? (
    <Status tone="good" word="ok" bare={bare} />
  ) : (
    <Status tone="none" word="unset" bare={bare} hint="The sender said neither ok nor error" />
  );
}
