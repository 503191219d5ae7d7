"""`python -m noria.server.api.document`: the OpenAPI document, from which the page's types are made."""

from __future__ import annotations

import json
import sys

from noria.server.api.app import surface


def document() -> str:
    """Deterministic JSON."""
    return json.dumps(surface().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
