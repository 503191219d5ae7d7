/** All that is known of the chosen span, in tabs. */
import { Tabs } from '@mantine/core';
import type { Schemas } from '../../api/client';
import { bytes, count, duration, exact, money } from '../../parts/format';
import { LazyCode, pretty } from '../../parts/LazyCode';
import { TraceStatus } from '../../parts/Status';
import { Id } from '../../parts/Value';
import { SpanScores } from '../monitor/SpanScores';
import { conversation } from './conversation';
import { Facts } from './Facts';
import { Feedback } from './Feedback';
import classes from './Trace.module.css';
import { Turns } from './Turns';
import type { Span } from './tree';

export const TABS = ['conversation', 'wire', 'cost', 'feedback', 'attributes'] as const;
export type Tab = (typeof TABS)[number];

const NAMES: Record<Tab, string> = {
  conversation: 'Conversation',
  wire: 'Request & response',
  cost: 'Tokens & cost',
  feedback: 'Scores & feedback',
  attributes: 'Attributes',
};

/** The attribute under which the gateway keeps a stream as it was sent. */
const FRAMES = 'noria.response.frames';

interface Props {
  trace: string;
  span: Span;
  feedback: Schemas['FeedbackBody'][];
  tab: Tab;
  onTab: (tab: Tab) => void;
}

export function SpanPanel({ trace, span, feedback, tab, onTab }: Props) {
  const frames = span.attributes[FRAMES];
  return (
    <Tabs value={tab} onChange={(next) => onTab(next as Tab)} className={classes.panel} keepMounted={false}>
      <Tabs.List className={classes.tabs}>
        {TABS.map((each) => (
          <Tabs.Tab key={each} value={each} className={classes.tab}>
            {NAMES[each]}
            {each === 'feedback' && feedback.length > 0 && (
              <span className={classes.count}>{feedback.length}</span>
            )}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="conversation" className={classes.content} tabIndex={0}>
        {span.status === 'error' && <Fault span={span} />}
        <Conversation span={span} />
      </Tabs.Panel>
      <Tabs.Panel value="wire" className={classes.content}>
        <Wire title="Request" text={span.input} />
        <Wire title="Response" text={span.output} />
        {typeof frames === 'string' && <Wire title="Stream, frame by frame" text={frames} />}
      </Tabs.Panel>
      <Tabs.Panel value="cost" className={classes.content}>
        <Cost span={span} />
      </Tabs.Panel>
      <Tabs.Panel value="feedback" className={classes.content}>
        <SpanScores trace={trace} span={span.id} />
        <Feedback trace={trace} span={span.id} feedback={feedback} />
      </Tabs.Panel>
      <Tabs.Panel value="attributes" className={classes.content}>
        <Attributes span={span} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Fault({ span }: { span: Span }) {
  return (
    <div className={classes.fault}>
      <TraceStatus status={span.status} kind={span.error_kind} http={span.http_status} />
      {span.status_message && <div>{span.status_message}</div>}
    </div>
  );
}

function Conversation({ span }: { span: Span }) {
  const asked = conversation(span.input, 'user');
  const answered = conversation(span.output, 'assistant');
  if (!span.input && !span.output) {
    return (
      <p className={classes.quiet}>
        The payload of this span was not kept. Its route, key or sender says <code>capture = "metadata"</code>
        .
      </p>
    );
  }
  if (!asked && !answered)
    return <p className={classes.quiet}>This is no conversation; see Request & response.</p>;
  return <Turns turns={[...(asked ?? []), ...(answered ?? [])]} />;
}

function Wire({ title, text }: { title: string; text: string | null }) {
  return (
    <section className={classes.wire}>
      <h3>
        {title} {text !== null && <span className="dim">{bytes(new Blob([text]).size)}</span>}
      </h3>
      {text === null ? (
        <p className={classes.quiet}>Not kept.</p>
      ) : (
        <LazyCode value={pretty(text)} label={title} language={/^\s*[[{]/.test(text) ? 'json' : 'text'} />
      )}
    </section>
  );
}

function Cost({ span }: { span: Span }) {
  const words = {
    reported: 'as the provider reported them',
    estimated: 'estimated, as the provider reported none',
    none: 'none reported',
  };
  return (
    <Facts
      facts={[
        ['Tokens in', count(span.input_tokens)],
        ['of which cached', count(span.cached_tokens)],
        ['Tokens out', count(span.output_tokens)],
        ['of which reasoning', count(span.reasoning_tokens)],
        ['Counted', words[span.usage as keyof typeof words] ?? span.usage],
        [
          'Cost',
          span.cost === null
            ? 'unknown: there is no price for this model'
            : `${money(span.cost)} ($${span.cost})`,
        ],
        ['Price', span.price || '–'],
        ['First token', duration(span.first_token_ms)],
        [
          'Speed',
          span.output_tokens && span.first_token_ms !== null && span.duration_ms > span.first_token_ms
            ? `${count((span.output_tokens / (span.duration_ms - span.first_token_ms)) * 1000)} tokens/s after the first`
            : '–',
        ],
        ['Cache', span.cache || '–'],
      ]}
    />
  );
}

function Attributes({ span }: { span: Span }) {
  const said = (value: string) => value || null;
  return (
    <>
      <Facts
        facts={[
          ['Span', <Id key="id" value={span.id} />],
          ['Started', exact(span.start_ms)],
          ['Kind', said(span.kind)],
          ['Operation', said(span.operation)],
          ['Service', said(span.service)],
          ['Route', said(span.route)],
          ['Target', said(span.target)],
          ['Model asked', said(span.model)],
          ['Model answered', said(span.response_model)],
          ['Stopped because', said(span.stop_reason)],
          ['Key', said(span.key)],
          ['Team', said(span.team)],
          ['User', said(span.user)],
          ['Session', said(span.session)],
          ['Configuration', span.config ? <Id key="config" value={span.config} short={16} /> : null],
          ['Source', said(span.source)],
        ]}
      />
      {span.events.length > 0 && (
        <section className={classes.wire}>
          <h3>Events</h3>
          {span.events.map((event) => (
            <div key={`${event.at_ms} ${event.name}`} className={classes.event}>
              <span className="num dim">+{duration(event.at_ms - span.start_ms)}</span> {event.name}
              {Object.keys(event.attributes).length > 0 && (
                <pre className={classes.pre}>{JSON.stringify(event.attributes, null, 2)}</pre>
              )}
            </div>
          ))}
        </section>
      )}
      <section className={classes.wire}>
        <h3>Attributes as sent</h3>
        <LazyCode value={JSON.stringify({ ...others(span), ...tags(span) }, null, 2)} label="Attributes" />
      </section>
    </>
  );
}

const others = (span: Span) =>
  Object.fromEntries(Object.entries(span.attributes).filter(([name]) => name !== FRAMES));

const tags = (span: Span) => (Object.keys(span.tags).length > 0 ? { tags: span.tags } : {});
