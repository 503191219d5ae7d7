/** Counts of labels against verdicts; the diagonal is where both agree. */
import { count, percent } from '../parts/format';
import classes from './Matrix.module.css';

/** What is a number goes by its size, else by name. */
const byValue = (a: string, b: string) =>
  Number.isFinite(Number(a)) && Number.isFinite(Number(b)) ? Number(a) - Number(b) : a.localeCompare(b);

export function Matrix({
  title,
  table,
  rows: rowName,
  columns: columnName,
}: {
  title: string;
  table: Record<string, Record<string, number>>;
  rows: string;
  columns: string;
}) {
  const rows = Object.keys(table).sort(byValue);
  const columns = [...new Set([...rows, ...Object.values(table).flatMap((row) => Object.keys(row))])].sort(
    byValue,
  );
  return (
    <div className={classes.box}>
      <table className={classes.matrix}>
        <caption>{title}</caption>
        <thead>
          <tr>
            <td />
            <th scope="colgroup" colSpan={columns.length}>
              {columnName}
            </th>
          </tr>
          <tr>
            <th scope="col">{rowName}</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const all = Object.values(table[row] ?? {}).reduce((sum, each) => sum + each, 0);
            return (
              <tr key={row}>
                <th scope="row">{row}</th>
                {columns.map((column) => {
                  const found = table[row]?.[column] ?? 0;
                  const share = all > 0 ? found / all : 0;
                  return (
                    <td
                      key={column}
                      className="num"
                      data-agrees={row === column || undefined}
                      style={{ ['--share' as string]: `${Math.round(share * 60)}%` }}
                    >
                      <b>{count(found)}</b>
                      <span>{all > 0 ? percent(share) : ''}</span>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
