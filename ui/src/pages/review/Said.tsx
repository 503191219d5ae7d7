/** What the reviewers answered, side by side: only the server's word that the item is closed lets it be seen. */
import { When } from '../../parts/Value';
import { words } from './form';
import type { Item, Queue } from './queries';
import classes from './Review.module.css';

export function Said({ queue, item, anonymous }: { queue: Queue; item: Item; anonymous?: boolean }) {
  const reviews = item.reviews;
  if (reviews.length === 0) return null;
  const name = (index: number) =>
    anonymous
      ? `Reviewer ${index + 1}`
      : `${reviews[index]?.reviewer_name}${reviews[index]?.part === 'adjudication' ? ' (decided)' : ''}`;
  return (
    <section className={classes.said} aria-label="What the reviewers answered">
      <h3>What the reviewers answered</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keys */}
      <div className={classes.scroll} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Question</th>
              {reviews.map((review, index) => (
                <th key={review.id} scope="col">
                  {name(index)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {queue.form.map((question) => (
              <tr key={question.name} data-disputed={item.disputed.includes(question.name) || undefined}>
                <th scope="row">
                  {question.title || question.name}
                  {item.disputed.includes(question.name) && (
                    <span className={classes.disputed}>disputed</span>
                  )}
                </th>
                {reviews.map((review) => (
                  <td key={review.id}>{words(question, review.answers[question.name])}</td>
                ))}
              </tr>
            ))}
            {reviews.some((review) => review.comment) && (
              <tr>
                <th scope="row">Comment</th>
                {reviews.map((review) => (
                  <td key={review.id}>{review.comment || '–'}</td>
                ))}
              </tr>
            )}
            {!anonymous && (
              <tr>
                <th scope="row">When</th>
                {reviews.map((review) => (
                  <td key={review.id} className="dim">
                    <When ms={review.at_ms} />
                  </td>
                ))}
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
