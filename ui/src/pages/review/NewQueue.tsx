/** A new queue: its name, how many review each item, and what is asked. */
import {
  ActionIcon,
  Button,
  Modal,
  NativeSelect,
  NumberInput,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { useScope } from '../../app/scope';
import { instrumentsQuery } from './queries';
import classes from './Review.module.css';

type Kind = Schemas['QuestionBody']['kind'];
const KINDS: Record<Kind, string> = {
  label: 'one label',
  labels: 'several labels',
  score: 'a score, 1 to 5',
  preference: 'which of two is better',
  correction: 'a corrected text',
  comment: 'a comment',
  survey: 'a questionnaire',
};

interface Draft {
  key: number;
  name: string;
  kind: Kind;
  choices: string[];
  instrument: string;
  required: boolean;
}

const blank = (key: number): Draft => ({
  key,
  name: '',
  kind: 'label',
  choices: [],
  instrument: 'sus',
  required: true,
});

export function NewQueue({ onClose, onMade }: { onClose: () => void; onMade: (name: string) => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const instruments = useQuery(instrumentsQuery);
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [reviews, setReviews] = useState<number | string>(2);
  const [questions, setQuestions] = useState<Draft[]>([blank(0)]);
  const set = (key: number, change: Partial<Draft>) =>
    setQuestions(questions.map((each) => (each.key === key ? { ...each, ...change } : each)));
  const make = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/queues', {
          params: { query: { project } },
          body: {
            name: name.trim(),
            description: description.trim(),
            reviews: Number(reviews) || 1,
            form: questions.map((each) => ({
              name: each.name.trim().replace(/\s+/g, '_'),
              title: each.name.trim(),
              kind: each.kind,
              required: each.required,
              choices:
                each.kind === 'label' || each.kind === 'labels'
                  ? each.choices.map((value) => ({ value }))
                  : [],
              instrument: each.kind === 'survey' ? each.instrument : '',
            })),
          },
        }),
      ),
    onSuccess: async (queue) => {
      await cache.invalidateQueries({ queryKey: ['queues', project] });
      onClose();
      onMade(queue.name);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="New queue" size="lg">
      <form onSubmit={submit} className={classes.new}>
        <TextInput
          label="Name"
          description="Letters, digits, dot, underscore and hyphen"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          data-autofocus
        />
        <TextInput
          label="About"
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <NumberInput
          label="Blind reviews of each item"
          min={1}
          max={20}
          value={reviews}
          onChange={setReviews}
        />
        {questions.map((each, index) => (
          <fieldset key={each.key} className={classes.draft}>
            <legend>Question {index + 1}</legend>
            <TextInput
              label="What is asked"
              value={each.name}
              onChange={(event) => set(each.key, { name: event.currentTarget.value })}
              required
            />
            <NativeSelect
              label="Answered by"
              value={each.kind}
              data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
              onChange={(event) => set(each.key, { kind: event.currentTarget.value as Kind })}
            />
            {(each.kind === 'label' || each.kind === 'labels') && (
              <TagsInput
                label="Choices"
                description="Enter or a comma ends each"
                value={each.choices}
                splitChars={[',']}
                onChange={(choices) => set(each.key, { choices })}
              />
            )}
            {each.kind === 'survey' && (
              <NativeSelect
                label="Questionnaire"
                value={each.instrument}
                data={(instruments.data?.items ?? []).map((one) => ({ value: one.name, label: one.title }))}
                onChange={(event) => set(each.key, { instrument: event.currentTarget.value })}
              />
            )}
            <div className={classes.acts}>
              <Switch
                label="Must be answered"
                checked={each.required}
                onChange={(event) => set(each.key, { required: event.currentTarget.checked })}
              />
              {questions.length > 1 && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Leave question ${index + 1} out`}
                  onClick={() => setQuestions(questions.filter((one) => one.key !== each.key))}
                >
                  <IconTrash size={15} />
                </ActionIcon>
              )}
            </div>
          </fieldset>
        ))}
        <Button
          variant="subtle"
          leftSection={<IconPlus size={14} />}
          onClick={() =>
            setQuestions([...questions, blank(Math.max(...questions.map((each) => each.key)) + 1)])
          }
        >
          Another question
        </Button>
        {make.error && (
          <p role="alert" className={classes.wrong}>
            {make.error.message}
          </p>
        )}
        <div className={classes.acts}>
          <Button type="submit" loading={make.isPending}>
            Make the queue
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  );
}
