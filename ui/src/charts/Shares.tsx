/** Parts of one whole, the largest first: a bar and a figure each. */
import { percent } from '../parts/format';
import classes from './Shares.module.css';

export function Shares({ title, shares }: { title: string; shares: Readonly<Record<string, number>> }) {
  const rows = Object.entries(shares).sort(([, a], [, b]) => b - a);
  const most = Math.max(...rows.map(([, share]) => share), 1e-9);
  return (
    <table className={classes.shares}>
      <caption>{title}</caption>
      <tbody>
        {rows.map(([name, share]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className={classes.bar} aria-hidden>
              <i style={{ width: `${(share / most) * 100}%` }} />
            </td>
            <td className="num">{percent(share)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
