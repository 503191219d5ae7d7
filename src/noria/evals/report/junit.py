"""A report as JUnit XML, which every CI system shows: gates as tests, and examples where asked for."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from noria.evals.report.report import Report, corrected, shown
from noria.evals.sheet import Line, Sheet


def junit(report: Report, sheet: Sheet | None = None) -> bytes:
    """One suite for the gates' conditions, one with a test a scorer, and with `sheet` one with a test an
    example, which fails where a yes-or-no scorer says no."""
    root = Xml.Element("testsuites", name=f"noria eval {report.run.spec.name}")
    for checked in report.gates:
        suite = Xml.SubElement(root, "testsuite", name=f"gate {checked.result.gate}")
        for condition, result in checked.conditions:
            _case(suite, condition.shown, report, result.verdict, result.reason)
        if not checked.conditions:
            _case(suite, checked.result.gate, report, checked.result.verdict, checked.result.reason)
    suite = Xml.SubElement(root, "testsuite", name="scorers")
    for one in report.metrics.measures:
        verdict = "pass" if one.scores else "undecided"
        why = (
            f"{one.failed} scores failed: {one.why_failed[0][0]}" if one.why_failed else "nothing was scored"
        )
        case = _case(suite, one.name, report, verdict, why)
        people = f"; corrected {corrected(one)}" if one.corrected is not None else ""
        Xml.SubElement(case, "system-out").text = _plain(shown(one.interval) + people)
    if sheet is not None:
        suite = Xml.SubElement(root, "testsuite", name="examples")
        for line in sheet.lines:
            wrong = list(_wrong(line))
            _case(suite, line.id, report, "fail" if wrong else "pass", "; ".join(wrong))
    for suite in root:
        kinds = [one.tag for case in suite for one in case]
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(kinds.count("failure")))
        suite.set("errors", str(kinds.count("error")))
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True)


def _case(suite: Xml.Element, name: str, report: Report, verdict: str, why: str) -> Xml.Element:
    case = Xml.SubElement(suite, "testcase", name=_plain(name), classname=f"noria.{report.run.spec.name}")
    if verdict == "fail":
        Xml.SubElement(case, "failure", message=_plain(why))
    elif verdict == "undecided":
        Xml.SubElement(case, "error", message=_plain(why), type="undecided")
    return case


def _wrong(line: Line) -> Iterable[str]:
    if line.failed:
        yield f"{line.failed} answers failed"
    for name, scores in line.scores.items():
        for score in scores:
            if score.failed:
                yield f"{name} failed: {score.failed}"
            elif score.value is False:
                yield f"{name}: no" + (f" ({score.reason})" if score.reason else "")


def _plain(text: str) -> str:
    """Without what XML 1.0 (section 2.2) cannot hold."""
    return "".join(
        one
        if one in "\t\n\r" or " " <= one < "\ud800" or "\ue000" <= one < "\ufffe" or one > "\uffff"
        else "�"
        for one in text
    )
