"""Objects of S3 and Google Cloud Storage, with the credentials that the environment has."""

from __future__ import annotations

from pathlib import Path

from noria.errors import MissingExtra, Unreachable
from noria.models.sources import Object
from noria.providers.weights.fetch import CHUNK, Progress, Report, write


def fetch(source: Object, target: Path, *, report: Report) -> None:
    """Ranges of 1 MiB, so that a broken download goes on where it stopped."""
    try:
        import obstore
        from obstore.exceptions import BaseError
        from obstore.store import GCSStore, S3Store
    except ImportError as error:
        raise MissingExtra(f"Fetching from {source.scheme}:", "objects") from error
    store = (GCSStore if source.scheme == "gs" else S3Store)(source.bucket)
    try:
        total = obstore.head(store, source.key)["size"]
        done = target.stat().st_size if target.exists() else 0
        if done > total:
            target.unlink()
            done = 0
        with target.open("ab") as file:
            while done < total:
                data = bytes(
                    obstore.get_range(store, source.key, start=done, end=min(done + 8 * CHUNK, total))
                )
                write(file.write, data, what=source.key)
                done += len(data)
                report(Progress(source.key, done, total))
    except (BaseError, OSError) as error:
        raise Unreachable(
            f"{source} could not be fetched ({str(error).splitlines()[0]}); "
            "check the name and the credentials in the environment, then run the command again."
        ) from error
