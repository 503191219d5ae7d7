"""The tables of noria.db, on SQLite and PostgreSQL alike."""

from noria.storage.tables.accounts import accounts, links, sessions
from noria.storage.tables.approvals import approvals
from noria.storage.tables.audit import audit_events
from noria.storage.tables.curation import curation_runs, curation_tokens
from noria.storage.tables.datasets import (
    dataset_commits,
    dataset_imports,
    dataset_versions,
    datasets,
    example_bodies,
    example_log,
)
from noria.storage.tables.evals import eval_answers, eval_examples, eval_judgements, eval_runs
from noria.storage.tables.feedback import feedback, feedback_history
from noria.storage.tables.jobs import jobs
from noria.storage.tables.judges import judge_calibrations, judge_verdicts
from noria.storage.tables.keys import budgets, keys
from noria.storage.tables.metadata import METADATA
from noria.storage.tables.monitors import (
    alert_deliveries,
    alerts,
    monitor_events,
    monitor_rules,
    monitor_scores,
    monitors,
)
from noria.storage.tables.optimizations import optimization_answers, optimizations
from noria.storage.tables.prompts import prompt_label_moves, prompt_labels, prompt_versions, prompts
from noria.storage.tables.reviews import review_flags, review_items, review_queues, review_turns, reviews
from noria.storage.tables.studies import studies, study_trials
from noria.storage.tables.versions import config_versions

__all__ = [
    "METADATA",
    "accounts",
    "alert_deliveries",
    "alerts",
    "approvals",
    "audit_events",
    "budgets",
    "config_versions",
    "curation_runs",
    "curation_tokens",
    "eval_answers",
    "eval_examples",
    "eval_judgements",
    "eval_runs",
    "dataset_commits",
    "dataset_imports",
    "dataset_versions",
    "datasets",
    "example_bodies",
    "example_log",
    "feedback",
    "feedback_history",
    "jobs",
    "judge_calibrations",
    "judge_verdicts",
    "keys",
    "links",
    "monitor_events",
    "monitor_rules",
    "monitor_scores",
    "monitors",
    "prompt_label_moves",
    "prompt_labels",
    "prompt_versions",
    "optimization_answers",
    "optimizations",
    "prompts",
    "review_flags",
    "review_items",
    "review_queues",
    "review_turns",
    "reviews",
    "sessions",
    "studies",
    "study_trials",
]
