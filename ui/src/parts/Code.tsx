/** JSON or text in CodeMirror, read-only or editable; two megabytes scroll as well as two lines. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { foldGutter, HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { toml } from '@codemirror/legacy-modes/mode/toml';
import { EditorState } from '@codemirror/state';
import { EditorView, placeholder as hint, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import classes from './Code.module.css';

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--n-accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--n-good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--n-warn)' },
  { tag: tags.atom, color: 'var(--n-warn)' },
  { tag: tags.comment, color: 'var(--n-faint)' },
]);

const look = EditorView.theme({
  '&': { fontSize: '12px', background: 'transparent', color: 'var(--n-text)', maxHeight: '100%' },
  '.cm-content': { fontFamily: 'var(--n-mono)', caretColor: 'var(--n-text)', padding: '8px 0' },
  '.cm-scroller': { fontFamily: 'var(--n-mono)', lineHeight: '18px' },
  '.cm-gutters': { background: 'transparent', color: 'var(--n-faint)', border: 'none' },
  '&.cm-focused': { outline: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--n-text)' },
  '.cm-placeholder': { color: 'var(--n-dim)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection': {
    background: 'var(--n-accent-soft) !important',
  },
});

interface Props {
  value: string;
  label: string;
  language?: 'json' | 'toml' | 'text';
  onChange?: (value: string) => void;
  placeholder?: string;
  height?: string;
}

export function Code({ value, label, language = 'json', onChange, placeholder, height }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const first = useRef(value);
  const editable = onChange !== undefined;

  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          ...(language === 'json' ? [json()] : language === 'toml' ? [StreamLanguage.define(toml)] : []),
          syntaxHighlighting(colours),
          look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          ...(language === 'json' ? [lineNumbers(), foldGutter()] : []),
          ...(placeholder ? [hint(placeholder)] : []),
          ...(editable
            ? [history(), keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab])]
            : [EditorState.readOnly.of(true), EditorView.editable.of(false)]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [label, language, editable, placeholder]);

  useEffect(() => {
    first.current = value;
    const made = view.current;
    if (made && made.state.doc.toString() !== value) {
      made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } });
    }
  }, [value]);

  return <div ref={host} className={classes.code} style={{ height }} data-editable={editable || undefined} />;
}
