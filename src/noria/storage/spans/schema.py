"""The schema of `spans/<day>.db`, as numbered steps.

A trace has one number (`seq`) in its day; its spans have the rowids from `seq << 16` on, so that they lie
side by side in `spans`, `bodies` and the word index, and a word's hit names its trace without a lookup.
"""

from __future__ import annotations

SPAN_BITS = 16
MAX_SPANS = 60_000
"""Of one trace and day."""
SLOT_S = 300
"""Seconds of the fine rollup; the coarse one has an hour."""
HOUR_S = 3_600

TRACE_COLUMNS = (
    "root", "name", "start", "duration", "status", "http_status", "error_kind", "operation", "service",
    "route", "model", "provider", "user", "session", "episode", "team", "key", "cache", "input_tokens",
    "output_tokens", "cost_pico", "unknown_costs", "first_token", "attempts", "spans", "errors",
    "unconfirmed", "config", "tags",
)  # fmt: skip
"""As the fields of `tracing.totals.Totals`."""

LINE_COLUMNS = (
    "span_id", "parent_id", "name", "kind", "start", "end", "status", "operation", "service", "provider",
    "model", "route", "target", "key", "team", "user", "session", "episode", "tags", "input_tokens",
    "output_tokens", "cost_pico", "first_token", "cache", "attempts", "http_status", "error_kind", "config",
    "confirmed", "source",
)  # fmt: skip
"""As the fields of `tracing.span.Span` that are asked for often."""

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE cursors (
  writer TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (writer, segment)
) WITHOUT ROWID;
CREATE TABLE traces (
  seq INTEGER PRIMARY KEY, trace BLOB NOT NULL, project TEXT NOT NULL, changed INTEGER NOT NULL,
  slot INTEGER NOT NULL, bin INTEGER NOT NULL, feedback INTEGER NOT NULL,
  root BLOB, name TEXT, start INTEGER, duration INTEGER, status TEXT, http_status INTEGER, error_kind TEXT,
  operation TEXT, service TEXT, route TEXT, model TEXT, provider TEXT, user TEXT, session TEXT, episode TEXT,
  team TEXT, key TEXT, cache TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_pico INTEGER,
  unknown_costs INTEGER, first_token INTEGER, attempts INTEGER, spans INTEGER, errors INTEGER,
  unconfirmed INTEGER, config TEXT, tags TEXT
);
CREATE UNIQUE INDEX traces_id ON traces (trace, project);
CREATE INDEX traces_start ON traces (project, start);
CREATE INDEX traces_slot ON traces (project, slot, bin);
CREATE INDEX traces_duration ON traces (project, duration);
CREATE INDEX traces_cost ON traces (project, coalesce(cost_pico, -1));
CREATE INDEX traces_changed ON traces (project, changed);
CREATE INDEX traces_errors ON traces (project, start) WHERE status = 'error';
CREATE INDEX traces_user ON traces (project, user, start) WHERE user <> '';
CREATE INDEX traces_session ON traces (project, session, start) WHERE session <> '';
CREATE TABLE snippets (seq INTEGER PRIMARY KEY, input, output);
CREATE TABLE spans (
  id INTEGER PRIMARY KEY, role INTEGER NOT NULL, project TEXT NOT NULL, bin INTEGER NOT NULL,
  span_id BLOB NOT NULL, parent_id BLOB, name TEXT, kind TEXT, start INTEGER, "end" INTEGER, status TEXT,
  operation TEXT, service TEXT, provider TEXT, model TEXT, route TEXT, target TEXT, key TEXT, team TEXT,
  user TEXT, session TEXT, episode TEXT, tags TEXT, input_tokens INTEGER, output_tokens INTEGER,
  cost_pico INTEGER, first_token INTEGER, cache TEXT, attempts INTEGER, http_status INTEGER, error_kind TEXT,
  config TEXT, confirmed INTEGER, source TEXT
);
CREATE INDEX spans_calls ON spans (project, start) WHERE role = 1;
CREATE INDEX spans_errors ON spans (project, start) WHERE role = 1 AND status = 'error';
CREATE INDEX spans_user ON spans (project, user, start) WHERE role = 1 AND user <> '';
CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE bodies (id INTEGER PRIMARY KEY, dictionary INTEGER NOT NULL, data BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (
  text, content='', contentless_delete=1, detail=none, tokenize="unicode61 remove_diacritics 2"
);
INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);
INSERT INTO words (words, rank) VALUES ('automerge', 8);
CREATE TABLE rollups (
  project TEXT, step INTEGER, at INTEGER, route TEXT, model TEXT, team TEXT,
  requests INTEGER, errors INTEGER, input_tokens INTEGER, output_tokens INTEGER, cost_pico INTEGER,
  unknown INTEGER, cacheable INTEGER, hits INTEGER, fallbacks INTEGER, retries INTEGER,
  kinds TEXT, latency BLOB, first BLOB,
  PRIMARY KEY (project, step, at, route, model, team)
) WITHOUT ROWID;
"""

STEPS = (_FIRST,)
