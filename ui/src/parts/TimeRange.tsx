/** The range of time of the whole page: presets, an exact one, and a way back out of a zoom. */
import { ActionIcon, Button, Divider, Popover, TextInput, UnstyledButton } from '@mantine/core';
import { IconCheck, IconClock, IconZoomOut } from '@tabler/icons-react';
import { useState } from 'react';
import { useScope, useSetRange } from '../app/scope';
import { exact } from './format';
import { bounds, isLive, label, PRESETS, parseTime, wider } from './range';
import classes from './TimeRange.module.css';

export function TimeRange({ compact }: { compact: boolean }) {
  const range = useScope();
  const set = useSetRange();
  const [open, setOpen] = useState(false);
  const now = Date.now();
  const choose = (from: string, to: string) => {
    setOpen(false);
    set({ from, to });
  };
  const said = label(range, now);
  return (
    <div className={classes.range}>
      {!isLive(range) && !compact && (
        <ActionIcon variant="default" size={30} aria-label="Zoom out" onClick={() => set(wider(range, now))}>
          <IconZoomOut size={15} stroke={1.6} />
        </ActionIcon>
      )}
      <Popover opened={open} onChange={setOpen} position="bottom-end" width={260} trapFocus>
        <Popover.Target>
          <Button
            variant="default"
            h={30}
            px={8}
            leftSection={<IconClock size={14} stroke={1.6} />}
            onClick={() => setOpen(!open)}
            aria-label={`Range of time: ${said}`}
          >
            {compact && isLive(range) ? range.from.slice(1) : said}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={4}>
          {PRESETS.map(([from, words]) => (
            <UnstyledButton key={from} className={classes.preset} onClick={() => choose(from, 'now')}>
              {words}
              {isLive(range) && range.from === from && <IconCheck size={14} />}
            </UnstyledButton>
          ))}
          <Divider my={4} />
          <Exact key={`${range.from} ${range.to}`} range={range} choose={choose} now={now} />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

function Exact({
  range,
  choose,
  now,
}: {
  range: { from: string; to: string };
  choose: (from: string, to: string) => void;
  now: number;
}) {
  const [start, end] = bounds(range, now);
  const [from, setFrom] = useState(exact(start).slice(0, 19));
  const [to, setTo] = useState(isLive(range) ? 'now' : exact(end).slice(0, 19));
  const first = parseTime(from.trim(), now);
  const last = parseTime(to.trim(), now);
  const wrong =
    first === null || last === null ? 'Not a time' : first >= last ? 'Ends before it starts' : null;
  return (
    <form
      className={classes.exact}
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong) return;
        const kept = (text: string, ms: number | null) =>
          /^-|^now$/.test(text.trim()) ? text.trim() : String(ms);
        choose(kept(from, first), kept(to, last));
      }}
    >
      <TextInput label="From" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput label="To" value={to} onChange={(event) => setTo(event.currentTarget.value)} error={wrong} />
      <Button type="submit" fullWidth disabled={wrong !== null}>
        Show
      </Button>
    </form>
  );
}
