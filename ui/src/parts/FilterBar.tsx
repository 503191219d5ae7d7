/** The filter as chips and as text, kept in the URL. `/` goes there; enter applies; a chip's cross takes it out. */
import { CloseButton, Pill, TextInput } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useSetSearch } from '../app/scope';
import { useShortcuts } from '../app/shortcuts';
import classes from './FilterBar.module.css';
import { terms, without } from './filter';

export function FilterBar({ placeholder, error }: { placeholder: string; error?: string | null }) {
  const { q = '' } = useSearch({ strict: false }) as { q?: string };
  const set = useSetSearch();
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const chips = terms(q);

  useShortcuts([{ keys: '/', label: 'Filter', group: 'Lists', run: () => input.current?.focus() }]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new filter in the URL ends the draft
  useEffect(() => setDraft(null), [q]);

  const apply = (text: string) => {
    setDraft(null);
    if (text.trim() !== q) set({ q: text.trim() || null, peek: null });
  };
  const key = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter') {
      apply([q, draft ?? ''].join(' '));
    } else if (event.key === 'Escape') {
      setDraft(null);
      event.currentTarget.blur();
    } else if (event.key === 'Backspace' && !event.currentTarget.value && chips.length > 0) {
      // The last chip becomes text again, to be changed.
      const last = chips[chips.length - 1];
      set({ q: without(q, chips.length - 1) || null });
      setTimeout(() => setDraft(last?.text ?? ''));
      event.preventDefault();
    }
  };
  return (
    <div>
      <div className={classes.bar} data-wrong={error ? true : undefined}>
        {chips.map((chip, index) => (
          <Pill
            // biome-ignore lint/suspicious/noArrayIndexKey: the same word may stand twice
            key={`${index} ${chip.text}`}
            withRemoveButton
            onRemove={() => apply(without(q, index))}
            removeButtonProps={{ 'aria-label': `Remove ${chip.text}`, 'aria-hidden': false, tabIndex: 0 }}
            className={classes.chip}
          >
            {chip.field ? (
              <>
                {chip.negated && '−'}
                <span className={classes.field}>{chip.field}</span>
                {chip.operator}
                {chip.value}
              </>
            ) : (
              chip.text
            )}
          </Pill>
        ))}
        <TextInput
          ref={input}
          variant="unstyled"
          className={classes.input}
          aria-label="Filter"
          placeholder={chips.length === 0 ? placeholder : 'and …'}
          value={draft ?? ''}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={key}
          spellCheck={false}
          autoComplete="off"
        />
        {chips.length > 0 && (
          <CloseButton size="sm" aria-label="Remove all filters" onClick={() => apply('')} />
        )}
      </div>
      {error && (
        <div className={classes.error} role="alert">
          {error}
        </div>
      )}
    </div>
  );
}
