import type { State } from '../../api/monitors';
import { Status } from '../../parts/Status';
import { TONES, WORDS } from './words';

/** A state as shape, colour and word. */
export const StateOf = ({ state, hint }: { state: State; hint?: string }) => (
  <Status tone={TONES[state]} word={WORDS[state]} hint={hint} />
);
