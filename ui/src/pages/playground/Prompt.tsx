import { ActionIcon, Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { Message } from '../../calls/run';
import type { Draft } from './draft';
import classes from './Playground.module.css';

interface Props {
  draft: Draft;
  names: string[];
  onMessages: (messages: Message[]) => void;
  onValues: (values: Record<string, string>) => void;
}

/** The shared messages, and the values of the variables in them. */
export function Prompt({ draft, names, onMessages, onValues }: Props) {
  const { messages, values } = draft;
  const set = (at: number, change: Partial<Message>) =>
    onMessages(messages.map((each, index) => (index === at ? { ...each, ...change } : each)));
  return (
    <div className={classes.prompt}>
      {messages.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages are told apart by their place only
        <div key={index} className={classes.message}>
          <div className={classes.messageHead}>
            <NativeSelect
              aria-label={`Role of message ${index + 1}`}
              variant="unstyled"
              data={['system', 'user', 'assistant']}
              value={message.role}
              onChange={(event) => set(index, { role: event.currentTarget.value as Message['role'] })}
            />
            {messages.length > 1 && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={`Remove message ${index + 1}`}
                onClick={() => onMessages(messages.filter((_, at) => at !== index))}
              >
                <IconTrash size={14} stroke={1.6} />
              </ActionIcon>
            )}
          </div>
          <Textarea
            aria-label={`Message ${index + 1}, ${message.role}`}
            variant="unstyled"
            autosize
            minRows={message.role === 'system' ? 2 : 4}
            maxRows={16}
            placeholder={
              message.role === 'system'
                ? 'What the model should be (optional)'
                : 'Ask something; {{name}} makes a variable'
            }
            value={message.content}
            onChange={(event) => set(index, { content: event.currentTarget.value })}
            classNames={{ input: classes.text }}
          />
        </div>
      ))}
      <Button
        variant="subtle"
        leftSection={<IconPlus size={14} />}
        onClick={() =>
          onMessages([
            ...messages,
            { role: messages.at(-1)?.role === 'user' ? 'assistant' : 'user', content: '' },
          ])
        }
        style={{ alignSelf: 'flex-start' }}
      >
        Message
      </Button>
      {names.length > 0 && (
        <section className={classes.variables} aria-label="Variables">
          <h2>Variables</h2>
          {names.map((name) => (
            <TextInput
              key={name}
              label={name}
              value={values[name] ?? ''}
              onChange={(event) => onValues({ ...values, [name]: event.currentTarget.value })}
            />
          ))}
        </section>
      )}
    </div>
  );
}
