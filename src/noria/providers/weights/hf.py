"""Files of a model hub: huggingface.co, or the mirror that HF_ENDPOINT names; HF_TOKEN where it wants one."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from noria.models.sources import Hub
from noria.providers.weights.fetch import Report, client, download

ENDPOINT = "https://huggingface.co"


def url(source: Hub) -> str:
    endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")
    return f"{endpoint}/{source.repository}/resolve/{quote(source.revision)}/{quote(source.path)}"


def fetch(source: Hub, target: Path, *, report: Report) -> None:
    token = os.environ.get("HF_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with client() as http:
        download(http, url(source), target, what=source.path, report=report, headers=headers)
