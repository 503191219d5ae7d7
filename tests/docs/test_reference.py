"""The reference pages are what the program says of itself."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
WRITER: dict[str, Any] = runpy.run_path(str(REFERENCE / "generate.py"))


@pytest.mark.parametrize("name", WRITER["PAGES"])
def test_page_is_fresh(name: str) -> None:
    pages = {path.name: text for path, text in WRITER["generated"]()}
    assert (REFERENCE / name).read_text() == pages[name], "run docs/reference/generate.py and commit the page"


def test_every_header_of_the_gateway_is_documented() -> None:
    written = (REFERENCE / "headers.md").read_text().lower()
    for path in (ROOT / "src" / "noria" / "gateway").rglob("*.py"):
        for name in re.findall(r"x-noria-[a-z]+(?:-[a-z]+)*", path.read_text()):
            assert f"`{name}`" in written, f"{name} of {path.name} is not in docs/reference/headers.md"


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} links to {link}"
