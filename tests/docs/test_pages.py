"""Every code block of the README and of docs/ does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import ROOT, Reader, blocks
from running import Running

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts),
]


@pytest.mark.weights
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, running: Running) -> None:
    found = [block for block in blocks(page) if block.language]
    if not any(block.runs for block in found):
        return
    running.reset()
    reader = Reader(running.folder, port=running.port)
    try:
        for block in found:
            reader.follow(block)
    finally:
        reader.close()
