"""EvalTable keeps what it is given, once, on SQLite and on PostgreSQL."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.core.ids import new_id
from noria.core.messages import Choice, Message, Response, Text, TokenLogprob
from noria.core.usage import Usage
from noria.errors import NotFound
from noria.evals.answer import Answer, Judgement
from noria.evals.run import DatasetRef, EvalRun, Progress, RunSpec, TargetSpec
from noria.evals.store import Written
from noria.prompts.version import PromptContent, PromptMessage
from noria.scoring.scorer import Score, ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.evals import EvalTable


@pytest.fixture
def store(database: Database) -> EvalTable:
    return EvalTable(database, AuditLog(database, SystemClock()))


CONTENT = PromptContent(messages=(PromptMessage(role="user", template="{{ q }} ü"),))
SPEC = RunSpec(
    name="e",
    target=TargetSpec(model="m", serves="s", content=CONTENT, parameters={"temperature": 0.5, "stop": ["x"]}),
    dataset=DatasetRef(name="d", number=2, digest="sha256:1", split="test"),
    scorers=(ScorerSpec(type="exact", arguments={"ignore_case": True}),),
    budget=Decimal("0.10"),
    tags={"commit": "1"},
)
SAID = Message(role="assistant", parts=(Text(text="ü" * 600),))
RESPONSE = Response(
    id="r",
    model="m",
    choices=(Choice(message=SAID, stop_reason="stop", logprobs=(TokenLogprob(token="a", logprob=-0.25),)),),
    usage=Usage(input=1, output=2, provenance="reported"),
)


def add(store: EvalTable, **more: object) -> EvalRun:
    run = EvalRun(id=new_id("run"), project="default", spec=SPEC, by="b", by_name="B", created_ms=5)
    run = replace(run, **more)
    store.add(run, Act(by=SYSTEM, act="eval.run", subject=run.id))
    return run


def answer(example: str, **more: object) -> Answer:
    made = Answer(example=example, revision="r", key=f"k{example}", text="x", cost=Decimal("0.000001234567"))
    return replace(made, **more)


def test_a_run_comes_back_as_it_was(store: EvalTable) -> None:
    run = add(store)
    assert store.run("default", run.id) == run and store.run("other", run.id) is None
    going = replace(run.to("running", at_ms=7), progress=Progress(total=3, cost=Decimal("1.5")))
    assert store.save(going) and store.run("default", run.id) == going
    done = going.to("done", at_ms=9)
    assert store.save(done) and not store.save(going), "what has ended is not changed by its runner"
    assert store.run("default", run.id) == done
    add(store)
    first = store.runs("default", limit=1)
    assert first.next is not None and [one.id for one in store.runs("default", cursor=first.next).items] == [
        run.id
    ]
    assert (
        store.runs("default", name="no").items == () and len(store.runs("default", state="done").items) == 1
    )


def test_answers_and_judgements_are_kept_once_and_whole(store: EvalTable) -> None:
    run = add(store)
    example = Example(
        id="a", input={"q": "ü" * 900}, expected=["x"], metadata={"n": 1.5}, tags=("t",), group="g"
    )
    whole = answer("a", response=RESPONSE, data={"x": [1]}, context=("c",), latency=0.5, usage=RESPONSE.usage)
    scores = (
        Score(name="s", value=True, parts=(1.0, 2.0)),
        Score(name="s.2", failed="no", trace="t"),
        Score(name="s.3", value=0.5, cost=Decimal("0.25"), trace="t", details={"a": 1}),
    )
    judged = Judgement(example="a", scorer="s", key="j", scores=scores)
    written = Written(examples=[example], answers=[whole], judgements=[judged])
    store.write(run.id, written)
    store.write(
        run.id, Written(examples=[example], answers=[replace(whole, text="other")], judgements=[judged])
    )
    kept = store.kept_of(run.id, ["a", "b"])
    assert list(kept) == ["a"]
    assert (kept["a"].example, kept["a"].answers, kept["a"].judgements) == (example, (whole,), (judged,))
    assert store.answers("default", ["ka", "kb"]) == {"ka": whole} and store.answers("other", ["ka"]) == {}
    assert store.judgements("default", ["j"]) == {"j": judged}


def test_counting_and_streaming_thousands(store: EvalTable) -> None:
    run = add(store)
    ids = [f"e{number:05}" for number in range(2500)]
    store.write(
        run.id,
        Written(
            examples=[Example(id=id, input={}) for id in ids],
            answers=[
                *(answer(id) for id in ids[:2000]),
                *(answer(id, failed="no", cost=None) for id in ids[2000:2100]),
                *(answer(id, reused=True) for id in ids[2100:2200]),
                *(answer(id, cost=None) for id in ids[2200:]),
            ],
            judgements=[
                Judgement(
                    example=id, scorer=scorer, scores=(Score(name=scorer, value=1.0, cost=Decimal("0.01")),)
                )
                for id in ids[:10]
                for scorer in ("a", "b")
            ],
        ),
    )
    counted = store.counted(run.id)
    assert (counted.answered, counted.failed, counted.reused, counted.unknown) == (2500, 100, 100, 300)
    assert (counted.scored, counted.scores, counted.failed_scores) == (10, 20, 0)
    assert counted.cost == Decimal("0.000001234567") * 2000 + Decimal("0.2")
    assert [one.example.id for one in store.kept(run.id)] == ids
    assert next(store.kept(run.id, after="e00999")).example.id == "e01000"


def test_what_failed_can_be_forgotten_and_a_run_removed(store: EvalTable) -> None:
    run, other = add(store), add(store)
    for one in (run, other):
        store.write(
            one.id,
            Written(
                examples=[Example(id=id, input={}) for id in "abc"],
                answers=[answer("a"), answer("b", failed="no"), answer("c")],
                judgements=[
                    Judgement(example=id, scorer="s", scores=(Score(name="s", failed=why),))
                    for id, why in (("b", "no"), ("c", "no"))
                ],
            ),
        )
    store.forget_failed(run.id)
    kept = store.kept_of(run.id, "abc")
    assert [len(kept[id].answers) for id in "abc"] == [1, 0, 1]
    assert not any(one.judgements for one in kept.values())
    store.remove(run, Act(by=SYSTEM, act="eval.remove", subject=run.id))
    assert store.run("default", run.id) is None and list(store.kept(run.id)) == []
    assert len(list(store.kept(other.id))) == 3
    with pytest.raises(NotFound, match="is no more"):
        store.write(run.id, Written(answers=[answer("a")]))


def test_words_are_erased_and_what_was_measured_stays(store: EvalTable) -> None:
    run = add(store)
    examples = [Example(id=id, input={"q": id}, source=f"span:{id}/1") for id in ("a", "b")]
    judged = Judgement(example="a", scorer="s", key="j", scores=(Score(name="s", value=0.5, reason="x"),))
    answers = [answer("a", trace="t1"), answer("a", repeat=1, failed="a said no", trace="t2"), answer("b")]
    store.write(run.id, Written(examples=examples, answers=answers, judgements=[judged]))
    before = store.counted(run.id)
    assert store.erase("default", lambda one: one.source == "span:a/1") == ({run.id: 2}, {"t1", "t2"})
    assert store.erase("other", lambda one: True) == ({}, set())
    kept = store.kept_of(run.id, ["a", "b"])
    assert kept["a"].example.input == {} and kept["b"].example.input == {"q": "b"}
    assert [one.text for one in kept["a"].answers] == ["", ""] and kept["b"].answers[0].text == "x"
    assert "a said no" not in str(kept) and kept["a"].judgements[0].scores == (Score(name="s", value=0.5),)
    assert store.counted(run.id) == before
    assert store.answers("default", ["ka"]) == {} and store.judgements("default", ["j"]) == {}
    again = store.erase("default", lambda one: one.source == "span:a/1")
    assert again == ({}, {"t1", "t2"}), "run again, it finds the same calls"
