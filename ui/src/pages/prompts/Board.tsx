/** The promotion board: versions down, labels across; where each stands, what its gates say, and how it moves. */
import { Button, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconShieldCheck } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { type Label, movesQuery, type PromptVersion } from '../../api/prompts';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { Section } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import { MoveForm, TONES, useGates } from './MoveLabel';
import classes from './Prompts.module.css';

interface Props {
  name: string;
  labels: readonly Label[];
  versions: readonly PromptVersion[];
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}

export function Board({ name, labels, versions, query }: Props) {
  const search = useSearch({ strict: false }) as { label?: string };
  const set = useSetSearch();
  const may = useRole();
  const [moving, setMoving] = useState<{ label: string; number: number } | null>(null);
  const [fresh, setFresh] = useState('');
  const names = [...new Set([...labels.map((label) => label.name), ...(fresh ? [fresh] : [])])];
  const shown = names.find((each) => each === search.label) ?? names[0];
  return (
    <>
      <Section title="Where the labels stand" aside={may('editor') && <NewLabel onName={setFresh} />}>
        <div className={classes.scroll}>
          <table className={classes.board}>
            <thead>
              <tr>
                <th scope="col">Version</th>
                {names.map((each) => {
                  const label = labels.find((one) => one.name === each);
                  return (
                    <th key={each} scope="col">
                      <button type="button" className={classes.link} onClick={() => set({ label: each })}>
                        {each}
                      </button>
                      {label && (label.gates.length > 0 || label.approval) && (
                        <span
                          className={classes.protected}
                          title={[
                            ...label.gates.map((gate) => `gate ${gate}`),
                            label.approval ? 'an approval' : '',
                          ]
                            .filter(Boolean)
                            .join(', ')}
                        >
                          <IconShieldCheck size={12} stroke={1.7} aria-hidden /> protected
                        </span>
                      )}
                    </th>
                  );
                })}
              </tr>
            </thead>
            <tbody>
              {versions.map((version) => (
                <tr key={version.number}>
                  <th scope="row">
                    <b className="num">{version.number}</b>{' '}
                    <span className={classes.comment}>
                      {version.comment || <When ms={version.created_ms} />}
                    </span>
                  </th>
                  {names.map((each) => {
                    const label = labels.find((one) => one.name === each);
                    const here = label?.number === version.number;
                    return (
                      <td key={each} data-here={here || undefined}>
                        {here ? (
                          <span className={classes.stands}>
                            <Status tone="good" word={each} />
                            <span className="dim">
                              <When ms={label?.moved_ms} />
                            </span>
                          </span>
                        ) : (
                          <span className={classes.stands}>
                            {label && label.gates.length > 0 && (
                              <GateMarks name={name} label={each} number={version.number} />
                            )}
                            {may('editor') && (
                              <Button
                                size="compact-xs"
                                variant="default"
                                onClick={() => setMoving({ label: each, number: version.number })}
                                aria-label={`Move ${each} to version ${version.number}`}
                              >
                                Move here
                              </Button>
                            )}
                          </span>
                        )}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {names.length === 0 && (
          <p className={classes.words}>
            No label stands anywhere. Add one, such as production: callers ask for the prompt by its label,
            and get the version that it stands for.
          </p>
        )}
        {query.hasNextPage && (
          <Button
            variant="default"
            mt="sm"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Older versions
          </Button>
        )}
      </Section>
      {shown && <History name={name} label={shown} />}
      {moving && <MoveForm name={name} {...moving} onClose={() => setMoving(null)} />}
    </>
  );
}

function NewLabel({ onName }: { onName: (name: string) => void }) {
  const [text, setText] = useState('');
  return (
    <form
      className={classes.inline}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onName(text.trim());
        setText('');
      }}
    >
      <TextInput
        aria-label="New label"
        placeholder="New label"
        w={130}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={!text.trim()}>
        Add
      </Button>
    </form>
  );
}

function GateMarks({ name, label, number }: { name: string; label: string; number: number }) {
  const { data } = useGates(name, label, number);
  return data?.items.map((gate) => (
    <Status
      key={gate.gate}
      tone={TONES[gate.verdict] ?? 'none'}
      word={`${gate.gate} ${gate.verdict}`}
      hint={gate.reason}
    />
  ));
}

function History({ name, label }: { name: string; label: string }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const { data, error } = useQuery(movesQuery(project, name, label));
  const moves = [...(data?.items ?? [])].reverse();
  const back = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/prompts/{name}/labels/{label}/rollback', {
          params: { path: { name, label }, query: { project } },
          body: { to: 0, reason: 'Rolled back on the page' },
        }),
      ),
    onSuccess: () =>
      Promise.all(
        ['prompt', 'prompts', 'label-moves'].map((key) => cache.invalidateQueries({ queryKey: [key] })),
      ),
  });
  const fault = error ?? back.error;
  return (
    <Section
      title={`History of ${label}`}
      aside={
        may('editor') &&
        new Set(moves.map((move) => move.number)).size > 1 && (
          <Button
            variant="default"
            leftSection={<IconArrowBackUp size={14} stroke={1.6} />}
            loading={back.isPending}
            onClick={() => back.mutate()}
          >
            Roll back to the version before
          </Button>
        )
      }
    >
      {fault && (
        <p className={classes.wrong} role="alert">
          {fault.message}
        </p>
      )}
      <ol className={classes.history}>
        {moves.map((move) => (
          <li key={move.sequence}>
            <span>
              {move.kind === 'remove'
                ? 'taken away'
                : `${move.kind === 'rollback' ? 'back to' : 'to'} version ${move.number}`}
            </span>
            <span>{move.reason}</span>
            <span className="dim">
              {move.by_name || move.by}, <When ms={move.moved_ms} />
            </span>
            {move.gates.map((gate) => (
              <span key={gate.gate} className={classes.gate}>
                <Status tone={TONES[gate.verdict] ?? 'none'} word={`${gate.gate}: ${gate.verdict}`} />
                <span className="dim">{gate.reason}</span>
                {gate.evidence.run && (
                  <Link to="/evaluations/$id" params={{ id: gate.evidence.run }} className={classes.link}>
                    the run
                  </Link>
                )}
              </span>
            ))}
          </li>
        ))}
        {data && moves.length === 0 && <li className="dim">It has not moved yet.</li>}
      </ol>
    </Section>
  );
}
