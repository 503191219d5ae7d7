/** The spans of a trace as rows of a waterfall. Pure. */
import type { Schemas } from '../../api/client';

export type Span = Schemas['SpanDetail'];

export interface Row {
  span: Span;
  depth: number;
  children: number;
  /** Spans below it, at every depth. */
  below: number;
}

/** Parents before children, children by start; a span whose parent is missing stands at the top. */
export function rows(spans: readonly Span[], closed: ReadonlySet<string>): Row[] {
  const ids = new Set(spans.map((span) => span.id));
  const children = new Map<string | null, Span[]>();
  for (const span of spans) {
    const parent = span.parent && ids.has(span.parent) && span.parent !== span.id ? span.parent : null;
    const list = children.get(parent);
    if (list) list.push(span);
    else children.set(parent, [span]);
  }
  for (const list of children.values()) list.sort((a, b) => a.offset_ms - b.offset_ms);

  const below = new Map<string, number>();
  const seen = new Set<string>();
  const order: { span: Span; depth: number }[] = [];
  // By hand and not by recursion: a chain of 5,000 spans would be deeper than the stack.
  const stack = (children.get(null) ?? []).map((span) => ({ span, depth: 0 })).reverse();
  while (stack.length > 0) {
    const next = stack.pop();
    if (!next || seen.has(next.span.id)) continue;
    seen.add(next.span.id);
    order.push(next);
    const list = children.get(next.span.id) ?? [];
    for (let i = list.length - 1; i >= 0; i--) {
      const span = list[i];
      if (span) stack.push({ span, depth: next.depth + 1 });
    }
  }
  // Spans that are each other's parents are reached from nowhere; they are still shown.
  for (const span of spans) if (!seen.has(span.id)) order.push({ span, depth: 0 });

  for (let i = order.length - 1; i >= 0; i--) {
    const { span } = order[i] as { span: Span };
    const own = (children.get(span.id) ?? []).reduce((sum, child) => sum + 1 + (below.get(child.id) ?? 0), 0);
    below.set(span.id, own);
  }

  const found: Row[] = [];
  let hidden = Number.POSITIVE_INFINITY;
  for (const { span, depth } of order) {
    if (depth > hidden) continue;
    hidden = closed.has(span.id) ? depth : Number.POSITIVE_INFINITY;
    found.push({
      span,
      depth,
      children: children.get(span.id)?.length ?? 0,
      below: below.get(span.id) ?? 0,
    });
  }
  return found;
}
