"""Kit for tests: a mock upstream with its ledger, a frozen clock, a load generator."""

from noria.testing.clock import FrozenClock
from noria.testing.ledger import Ledger, Served
from noria.testing.load import Result, load
from noria.testing.plan import Plan, ToolUse
from noria.testing.server import Upstream

__all__ = ["FrozenClock", "Ledger", "Plan", "Result", "Served", "ToolUse", "Upstream", "load"]
