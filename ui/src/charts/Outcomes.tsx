/** Wins, ties and losses as one bar; the numbers stand in it. */
import { count } from '../parts/format';
import classes from './Outcomes.module.css';

export function Outcomes({ wins, ties, losses }: { wins: number; ties: number; losses: number }) {
  const all = wins + ties + losses || 1;
  const parts = [
    ['win', wins, 'better'],
    ['tie', ties, 'same'],
    ['loss', losses, 'worse'],
  ] as const;
  return (
    <span
      className={classes.bar}
      role="img"
      aria-label={`better on ${wins}, the same on ${ties}, worse on ${losses}`}
    >
      {parts.map(([kind, number, word]) =>
        number > 0 ? (
          <span
            key={kind}
            data-kind={kind}
            style={{ flexGrow: number / all }}
            title={`${word} on ${count(number)} of ${count(all)}`}
          >
            {count(number)}
          </span>
        ) : null,
      )}
    </span>
  );
}
