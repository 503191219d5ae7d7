"""The command `python -m noria.testing.upstream`: the mock upstream as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys

from noria.testing.server import Upstream


async def _serve(port: int, models: tuple[str, ...], *, strict: bool) -> None:
    async with Upstream(port=port, models=models, strict=strict) as upstream:
        print(upstream.url, flush=True)
        await asyncio.get_running_loop().create_future()


def main() -> None:
    """Serve until interrupted; the address is printed on standard output."""
    parser = argparse.ArgumentParser(prog="python -m noria.testing.upstream", description="A mock upstream.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--model", action="append", default=None, help="listed by GET /v1/models; repeatable")
    parser.add_argument("--strict", action="store_true", help="keep to OpenAI's published schema")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port, tuple(options.model or ("mock",)), strict=options.strict))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
