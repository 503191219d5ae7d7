/** The plain page that an end user gets: ask, read as it comes, stop, try again, say whether it helped. */
import { ActionIcon, Button, CloseButton, Drawer, Textarea, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowUp, IconHistory, IconPlayerStopFilled, IconPlus } from '@tabler/icons-react';
import { useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useScope, useSetSearch } from '../../app/scope';
import { ModelSelect, useFirstModels } from '../../calls/ModelSelect';
import { useRun } from '../../calls/useRun';
import { Answer } from './Answer';
import classes from './Chat.module.css';
import { all, type Chat, edited, put, save, type Turn, title } from './history';
import { Question } from './Question';

const blank = (model: string | null): Chat => ({
  id: crypto.randomUUID(),
  model,
  turns: [],
  changed: Date.now(),
});

export function ChatPage() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { id?: string; model?: string };
  const set = useSetSearch();
  const narrow = useMediaQuery('(max-width: 62em)') ?? false;
  const [first] = useFirstModels(1);
  const [chats, setChats] = useState(all);
  const [fresh, setFresh] = useState(() => blank(null));
  const [text, setText] = useState('');
  const [listed, setListed] = useState(false);
  const { run, busy, start, stop } = useRun(project);
  const [running, setRunning] = useState<string | null>(null);
  const foot = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);

  const chat = chats.find((each) => each.id === search.id) ?? fresh;
  const model = search.model ?? chat.model ?? first ?? null;
  const here = running === chat.id;

  const store = (next: Chat) => {
    setChats((before) => {
      const after = put(before, next);
      save(after);
      return after;
    });
  };
  const ask = async (turns: Turn[]) => {
    if (!model) return;
    const asked = { ...chat, model, turns, changed: Date.now() };
    store(asked);
    if (search.id !== chat.id) set({ id: chat.id }, { replace: true });
    setRunning(chat.id);
    const found = await start({
      model,
      messages: turns.filter((turn) => !turn.error).map((turn) => ({ role: turn.role, content: turn.text })),
      session: chat.id,
    });
    const answer: Turn = {
      role: 'assistant',
      text: found.text,
      trace: found.trace,
      error: found.error,
      stopped: found.state === 'stopped',
    };
    store({ ...asked, turns: [...turns, answer], changed: Date.now() });
    setRunning(null);
  };
  const send = () => {
    const words = text.trim();
    if (!words || busy || !model) return;
    setText('');
    void ask([...chat.turns, { role: 'user', text: words }]);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
  };
  const begin = () => {
    setFresh(blank(model));
    setListed(false);
    set({ id: null });
    input.current?.focus();
  };
  const remove = (id: string) => {
    const after = chats.filter((each) => each.id !== id);
    save(after);
    setChats(after);
    if (search.id === id) begin();
  };

  const length = run?.text.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the answer as it grows
  useEffect(() => {
    const box = foot.current?.parentElement;
    // Follows only someone who is at the end; a reader who scrolled up is left in peace.
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 160) foot.current?.scrollIntoView();
  }, [length, chat.turns.length]);

  const history = (
    <nav className={classes.history} aria-label="Chats">
      <Button variant="default" leftSection={<IconPlus size={14} />} onClick={begin} fullWidth>
        New chat
      </Button>
      {chats.map((each) => (
        <div key={each.id} className={classes.entry} data-here={each.id === chat.id || undefined}>
          <UnstyledButton
            className="ellipsis"
            onClick={() => {
              set({ id: each.id, model: null });
              setListed(false);
            }}
          >
            {title(each)}
          </UnstyledButton>
          <CloseButton size="xs" aria-label={`Delete “${title(each)}”`} onClick={() => remove(each.id)} />
        </div>
      ))}
    </nav>
  );

  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">Chat</h1>
      {narrow ? (
        <Drawer opened={listed} onClose={() => setListed(false)} title="Chats" size={280}>
          {history}
        </Drawer>
      ) : (
        history
      )}
      <div className={classes.main}>
        <div className={classes.bar}>
          {narrow && (
            <ActionIcon variant="default" size={30} aria-label="Chats" onClick={() => setListed(true)}>
              <IconHistory size={15} stroke={1.6} />
            </ActionIcon>
          )}
          <ModelSelect
            label="Model or route"
            value={model}
            onChange={(next) => set({ model: next })}
            width={220}
          />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
        <div className={classes.turns} role="log" aria-label="Conversation" tabIndex={0}>
          {chat.turns.length === 0 && !here && (
            <div className={classes.empty}>
              <p>What would you like to know?</p>
            </div>
          )}
          {chat.turns.map((turn, index) =>
            turn.role === 'user' ? (
              <Question
                // biome-ignore lint/suspicious/noArrayIndexKey: turns are only added at the end
                key={index}
                text={turn.text}
                onEdit={busy ? null : (words) => void ask(edited(chat.turns, index, words))}
              />
            ) : (
              <Answer
                // biome-ignore lint/suspicious/noArrayIndexKey: as above
                key={index}
                turn={turn}
                project={project}
                onRetry={
                  index === chat.turns.length - 1 && !busy ? () => void ask(chat.turns.slice(0, index)) : null
                }
                onThumb={(thumb) =>
                  store({
                    ...chat,
                    turns: chat.turns.map((each, at) => (at === index ? { ...each, thumb } : each)),
                  })
                }
              />
            ),
          )}
          {here && run && <Answer turn={{ role: 'assistant', text: run.text }} project={project} live />}
          <div ref={foot} />
        </div>
        <div className={classes.compose}>
          <Textarea
            ref={input}
            aria-label="Message"
            placeholder={model ? `Message ${model}` : 'No model can be called yet'}
            autosize
            minRows={1}
            maxRows={10}
            variant="unstyled"
            autoFocus={!narrow}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={key}
            className={classes.input}
            classNames={{ input: classes.text }}
          />
          {busy ? (
            <ActionIcon size={32} radius="xl" aria-label="Stop" onClick={stop}>
              <IconPlayerStopFilled size={14} />
            </ActionIcon>
          ) : (
            <ActionIcon
              size={32}
              radius="xl"
              aria-label="Send"
              onClick={send}
              disabled={!text.trim() || !model}
            >
              <IconArrowUp size={17} />
            </ActionIcon>
          )}
        </div>
      </div>
    </div>
  );
}
