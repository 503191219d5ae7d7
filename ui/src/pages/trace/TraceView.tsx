/** One trace: the facts, the waterfall, and the chosen span. Both the page and the peek panel show it. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Schemas } from '../../api/client';
import { traceQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { quote } from '../../parts/filter';
import { count, exact } from '../../parts/format';
import { TraceStatus } from '../../parts/Status';
import { Duration, Id, Money, Tokens } from '../../parts/Value';
import { SpanPanel, type Tab } from './SpanPanel';
import classes from './Trace.module.css';
import { Waterfall } from './Waterfall';

interface Props {
  id: string;
  span: string | null;
  onSpan: (id: string) => void;
  tab: Tab;
  onTab: (tab: Tab) => void;
  actions: (trace: Schemas['TraceDetail']) => ReactNode;
  peek?: boolean;
}

export function TraceView({ id, span, onSpan, tab, onTab, actions, peek }: Props) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(traceQuery(project, id));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Shape />;
  const { trace, feedback } = data;
  const chosen = trace.spans.find((each) => each.id === span) ?? first(trace);
  return (
    <div className={classes.view} data-peek={peek || undefined}>
      <Header trace={trace} actions={actions(trace)} />
      <div className={classes.halves}>
        <Waterfall trace={trace} chosen={chosen?.id ?? null} onChoose={onSpan} keyed={!peek} />
        {chosen && (
          <SpanPanel
            key={chosen.id}
            trace={trace.id}
            span={chosen}
            feedback={feedback}
            tab={tab}
            onTab={onTab}
          />
        )}
      </div>
    </div>
  );
}

/** The root where it has something to read, else the first span that has. */
function first(trace: Schemas['TraceDetail']) {
  const root = trace.spans.find((span) => span.id === trace.summary.root) ?? trace.spans[0];
  return root?.input || root?.output ? root : (trace.spans.find((span) => span.input || span.output) ?? root);
}

function Header({ trace, actions }: { trace: Schemas['TraceDetail']; actions: ReactNode }) {
  const { summary } = trace;
  return (
    <header className={classes.header}>
      <div className={classes.line}>
        <TraceStatus
          status={summary.status}
          kind={summary.error_kind}
          http={summary.http_status}
          unconfirmed={summary.unconfirmed}
        />
        <h1 className="ellipsis">{summary.name}</h1>
        <Id value={trace.id} short={12} />
        <div className={classes.actions}>{actions}</div>
      </div>
      <div className={classes.five}>
        <Fact name="Duration">
          <Duration ms={summary.duration_ms} />
        </Fact>
        <Fact name="First token">
          <Duration ms={summary.first_token_ms} />
        </Fact>
        <Fact name="Tokens">
          <Tokens input={summary.input_tokens} output={summary.output_tokens} />
        </Fact>
        <Fact name="Cost">
          {summary.cost === null && summary.unknown_costs === 0 ? (
            '–'
          ) : (
            <Money value={summary.cost} unknown={summary.unknown_costs} />
          )}
        </Fact>
        <Fact name={summary.attempts > 0 ? 'Spans · attempts' : 'Spans'}>
          <span className="num">
            {count(summary.spans)}
            {summary.attempts > 0 && ` · ${summary.attempts}`}
          </span>
        </Fact>
      </div>
      <div className={classes.context}>
        <span className="num">{exact(summary.start_ms).slice(0, 19)}</span>
        <Filtered field="model" value={summary.model} />
        {summary.route !== summary.model && <Filtered field="route" value={summary.route} />}
        <Filtered field="user" value={summary.user} />
        <Filtered field="team" value={summary.team} />
        {summary.session && (
          <Link to="/sessions/$id" params={{ id: summary.session }}>
            session {summary.session}
          </Link>
        )}
        {summary.cache === 'hit' && <span>answered from the cache</span>}
        {Object.entries(summary.tags).map(([name, value]) => (
          <Filtered key={name} field={`tag.${name}`} value={value} />
        ))}
      </div>
    </header>
  );
}

/** A word of the trace that leads to all that share it. */
function Filtered({ field, value }: { field: string; value: string }) {
  if (!value) return null;
  return (
    <Link to="/traces" search={{ q: `${field}:${quote(value)}` } as never}>
      {field.replace(/^tag\./, '')} {value}
    </Link>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <span>{name}</span>
      <b>{children}</b>
    </div>
  );
}

function Shape() {
  return (
    <div className={classes.view}>
      <div className={classes.header}>
        <Skeleton height={20} width={280} mb={12} />
        <Skeleton height={36} width={420} />
      </div>
      <div className={classes.halves}>
        <Skeleton height={320} />
        <Skeleton height={320} />
      </div>
    </div>
  );
}

/** The tab of a panel that the URL does not name. */
export const useTab = () => useState<Tab>('conversation');
