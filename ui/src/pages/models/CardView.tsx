/** A model's card: what its maker states, and beside it what was measured here. */
import { Anchor, Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { quote } from '../../parts/filter';
import { count, duration, money, parameters } from '../../parts/format';
import { Id } from '../../parts/Value';
import { Facts } from '../trace/Facts';
import classes from './Models.module.css';
import { perMillion } from './price';

export function CardView({ card, model }: { card: Schemas['CardBody']; model?: Schemas['ModelBody'] }) {
  const price = model?.price ?? card.price;
  return (
    <div className={classes.card}>
      <h2>{card.name}</h2>
      <div className={classes.sub}>
        <Id value={model?.id ?? card.id} />
        {card.developer && <span>{card.developer}</span>}
        {card.status !== 'active' && (
          <span className={classes.retired}>
            {card.status}
            {card.successor ? `; its successor is ${card.successor}` : ''}
          </span>
        )}
      </div>
      {model && (
        <div className={classes.cardActions}>
          <Button component={Link} to="/chat" search={{ model: model.id } as never} variant="default">
            Chat
          </Button>
          <Button
            component={Link}
            to="/traces"
            search={{ q: `model:${quote(model.id)}` } as never}
            variant="default"
          >
            Its traces
          </Button>
        </div>
      )}
      {model && (
        <>
          <h3>Measured here</h3>
          <Facts
            facts={[
              ['Calls', `${count(model.measured.calls)}, of which ${count(model.measured.errors)} failed`],
              [
                'Latency p50 · p95',
                `${duration(model.measured.p50_ms)} · ${duration(model.measured.p95_ms)}`,
              ],
              ['First token p50', duration(model.measured.first_token_p50_ms)],
              [
                'Speed, median',
                model.measured.tokens_per_s === null ? '–' : `${count(model.measured.tokens_per_s)} tokens/s`,
              ],
              [
                'Tokens in → out',
                `${count(model.measured.input_tokens)} → ${count(model.measured.output_tokens)}`,
              ],
              [
                'Spent',
                model.measured.unknown_cost > 0
                  ? `${money(model.measured.cost)}, and ${count(model.measured.unknown_cost)} calls without a price`
                  : money(model.measured.cost),
              ],
            ]}
          />
          <h3>Called as</h3>
          <Facts
            facts={[
              ['Provider', `${model.provider} (${model.dialect})`],
              ['Its name there', model.upstream],
              ['Region', model.region || null],
              ['Routes', model.routes.join(', ') || 'none'],
              ['Adapters', model.adapters.join(', ') || null],
            ]}
          />
        </>
      )}
      <h3>Stated</h3>
      <Facts
        facts={[
          [
            'Licence',
            card.licence ? (
              <span key="licence">
                {card.licence.url ? (
                  <Anchor href={card.licence.url} target="_blank" rel="noreferrer" fz={13}>
                    {card.licence.name}
                  </Anchor>
                ) : (
                  card.licence.name
                )}{' '}
                ({card.licence.kind}){card.licence.notes ? `: ${card.licence.notes}` : ''}
              </span>
            ) : (
              'not stated'
            ),
          ],
          ['Parameters', card.parameters === null ? 'not stated' : parameters(card.parameters)],
          ['of which active', card.active_parameters === null ? null : parameters(card.active_parameters)],
          ['Context', card.context === null ? 'not stated' : `${count(card.context)} tokens`],
          ['Longest answer', card.max_output === null ? null : `${count(card.max_output)} tokens`],
          ['Takes', card.modalities_in.join(', ')],
          ['Gives', card.modalities_out.join(', ')],
          ['Can', card.capabilities.map((each) => each.replace(/_/g, ' ')).join(', ') || null],
          [
            'Embedding',
            card.embedding_dimensions === null ? null : `${card.embedding_dimensions} dimensions`,
          ],
          [
            'Price',
            `${perMillion(price)}${price && perMillion(price) !== 'free' ? ' $ per million tokens, in → out' : ''}`,
          ],
          ['Price as of', price?.date ?? null],
          ['Price from', price?.source ?? null],
          ['Architecture', card.architecture],
          ['Training', card.training],
          ['Fine-tuning', card.fine_tuning],
          ['Released', card.released],
          ['Knows until', card.knowledge_cutoff],
          ['Notes', card.notes],
        ]}
      />
    </div>
  );
}
