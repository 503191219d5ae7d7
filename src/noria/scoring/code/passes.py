"""Whether code that a model wrote passes its tests."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from noria.core.example import Example
from noria.scoring.code.sandbox import run
from noria.scoring.factory import Unscorable, factory
from noria.scoring.scorer import Described, Output, Score, Scorer

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL | re.IGNORECASE)


@factory(Described(name="code", kind="share"))
def code(*, timeout: float = 5.0, megabytes: int = 512) -> Scorer:
    """Whether the Python code in the answer passes the tests in the example's metadata.

    The metadata is HumanEval's: `test` (code that checks), with `entry_point` the function that `check` is
    called on, and with `prompt` the code that the answer goes on from. The answer is a whole program, a
    function, or what follows `prompt`. It runs in a sandbox, which needs Linux with Landlock and seccomp.
    """

    async def score(output: Output) -> Sequence[Score]:
        ran = await run(program_of(output), timeout=timeout, megabytes=megabytes)
        if ran.outcome == "closed":
            raise Unscorable(f"Code is only run in a sandbox, and {ran.said}.")
        return (Score(name="code", value=ran.outcome == "passed", reason=ran.said),)

    return score


def program_of(output: Output) -> str:
    """The answer's code with its tests. Raises Unscorable where there are none."""
    example = output.example
    test, prompt, entry = (_text(example, name) for name in ("test", "prompt", "entry_point"))
    if not test:
        raise Unscorable(f"Example {example.id} has no `test` in its metadata.")
    answer = code_in(output.text)
    whole = not prompt or (bool(entry) and re.search(rf"^\s*(async )?def {re.escape(entry)}\b", answer, re.M))
    if whole:
        # What the prompt imports, and the functions that it defines beside, are there for the answer too.
        before = prompt
        if not _parses(prompt):
            before = "\n".join(one for one in prompt.splitlines() if one.startswith(("import ", "from ")))
        body = f"{before}\n\n{textwrap.dedent(answer)}"
    else:
        body = prompt + answer
    return f"{body}\n\n{test}\n" + (f"\ncheck({entry})\n" if entry else "")


def code_in(text: str) -> str:
    """What stands in the first fence; without one, all of it. Of a single mark it is the end, where what
    stands before it is a program: models that go on from a prompt leave out the beginning."""
    before, mark, _ = text.partition("```")
    if mark and text.count("```") == 1 and before.strip() and _parses(textwrap.dedent(before)):
        return before
    found = _FENCE.search(text)
    return found[1] if found else text


def _parses(program: str) -> bool:
    try:
        ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _text(example: Example, name: str) -> str:
    found = example.metadata.get(name, "")
    return found if isinstance(found, str) else ""
