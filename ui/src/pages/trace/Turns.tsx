import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Turn } from './conversation';
import classes from './Turns.module.css';

/** Beyond this many characters a turn is folded; a prompt of two megabytes is opened on request. */
const LONG = 4_000;

export function Turns({ turns }: { turns: readonly Turn[] }) {
  return (
    <ol className={classes.turns}>
      {turns.map((turn, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the turns of a recorded conversation do not move
        <li key={index} className={classes.turn} data-role={turn.role}>
          <div className={classes.role}>{turn.role}</div>
          <div className={classes.parts}>
            {turn.parts.map((part, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              <div key={at} className={classes.part} data-kind={part.kind}>
                {part.kind !== 'text' && (
                  <div className={classes.kind}>
                    {part.kind}
                    {part.name ? ` · ${part.name}` : ''}
                  </div>
                )}
                <Words text={part.text} />
              </div>
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Words({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const long = text.length > LONG && !whole;
  return (
    <>
      <div className={classes.words}>{long ? `${text.slice(0, LONG)}…` : text}</div>
      {long && (
        <Button variant="subtle" px={0} onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString('en-US')} characters
        </Button>
      )}
    </>
  );
}
