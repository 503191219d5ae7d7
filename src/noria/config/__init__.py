"""noria.toml: what may be written in it, read, checked, compared, compiled and written back.

Uses pydantic, so no gateway worker imports it.
"""

from noria.config.compile import compile_budgets, compile_snapshot, key_limits
from noria.config.config import Config
from noria.config.diff import Change, plan
from noria.config.load import Checked, Source, check, load
from noria.config.mistake import Mistake
from noria.config.schema import json_schema
from noria.config.template import template

__all__ = [
    "Change",
    "Checked",
    "Config",
    "Mistake",
    "Source",
    "check",
    "compile_budgets",
    "compile_snapshot",
    "json_schema",
    "key_limits",
    "load",
    "plan",
    "template",
]
