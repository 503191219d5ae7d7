/** What a run has measured, as the page reads it. Pure. */
import type { Measure, Run } from '../../api/evals';
import type { Tone } from '../../parts/Status';

/** Scorers of what an answer took; they are shown beside quality, not as quality. */
export const SPENT: ReadonlySet<string> = new Set(['latency', 'cost', 'tokens']);

type Named = Pick<Measure, 'name' | 'interval'>;

export const quality = <T extends Named>(measures: readonly T[]): T[] =>
  measures.filter((measure) => !SPENT.has(measure.name) && measure.interval !== null);

/** The one that is asked for, else the first that says how good. */
export const leading = <T extends Named>(measures: readonly T[], name: string): T | undefined =>
  name ? measures.find((measure) => measure.name === name) : quality(measures)[0];

/** A bar only where the scale's ends are known. */
export function domain(measure: Pick<Measure, 'kind' | 'interval'>): readonly [number, number] | null {
  const { interval } = measure;
  const values = [interval?.estimate, interval?.low, interval?.high].filter(
    (value): value is number => value !== null && value !== undefined,
  );
  return values.length > 0 && values.every((value) => value >= 0 && value <= 1) ? [0, 1] : null;
}

const TONES: Record<Run['state'], Tone> = {
  queued: 'none',
  running: 'none',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
};

/** The state in a word; a run that is done but not to be trusted says so. */
export function stateOf(run: Pick<Run, 'state' | 'sound' | 'message'>): { tone: Tone; word: string } {
  if (run.state === 'done' && !run.sound) return { tone: 'warn', word: 'not to be trusted' };
  return { tone: TONES[run.state], word: run.state };
}

export const VERDICTS: Record<string, Tone> = {
  better: 'good',
  worse: 'bad',
  'not shown': 'none',
  'no examples': 'none',
  pass: 'good',
  fail: 'bad',
  undecided: 'warn',
};

/** What answered, without the words that every run of the table has. */
export const targetOf = (run: Pick<Run, 'target' | 'prompt' | 'prompt_number' | 'model'>): string =>
  !run.prompt
    ? run.target
    : `${run.prompt.split('@')[0]} ${run.prompt_number > 0 ? `v${run.prompt_number}` : 'unsaved'} · ${run.model}`;

/** Runs that a search made for itself; a list would be full of them. */
export const isTrial = (run: Pick<Run, 'tags'>): boolean =>
  ['study', 'optimization', 'exploration'].some((tag) => tag in run.tags);

/** The dataset as it was pinned; of a file only its name. */
export const datasetOf = (run: Pick<Run, 'dataset' | 'dataset_name'>): string =>
  run.dataset_name ? run.dataset : (run.dataset.split('/').at(-1) ?? run.dataset);
