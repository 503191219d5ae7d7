/** `?`: the keys that are in force on this page. */
import { Kbd, Modal } from '@mantine/core';
import classes from './KeyList.module.css';
import { listed } from './shortcuts';

const NAMES: Record<string, string> = { mod: '⌘', enter: '↵', space: 'space', down: '↓', up: '↑' };

export function KeyList({ close }: { close: () => void }) {
  return (
    <Modal opened onClose={close} title="Keys" size="lg">
      <div className={classes.columns}>
        {[...listed()].map(([group, shortcuts]) => (
          <section key={group} className={classes.group}>
            <h3>{group}</h3>
            {shortcuts.map((each) => (
              <div key={each.keys} className={classes.line}>
                <span>{each.label}</span>
                <Stroke keys={each.keys} />
              </div>
            ))}
          </section>
        ))}
      </div>
    </Modal>
  );
}

function Stroke({ keys }: { keys: string }) {
  return (
    <span className={classes.stroke}>
      {keys.split(/[ +]/).map((key, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the order of strokes never changes
        <Kbd key={index} size="xs">
          {NAMES[key] ?? key}
        </Kbd>
      ))}
    </span>
  );
}
