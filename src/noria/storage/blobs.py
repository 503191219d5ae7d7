"""Large values by content: put once, never changed, found again by `sha256:<hex>`.

Two places: a folder, and a bucket of S3 or Google Cloud Storage (extra `objects`). Both put only what is not
there, and give nothing back that does not have its digest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from noria.core.digest import digest_bytes
from noria.errors import InvalidRequest, MissingExtra, NotFound, StateError, Unreachable

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class Blobs(Protocol):
    """Values by digest. Safe for several threads and processes."""

    def put(self, data: bytes) -> str:
        """The digest; on return the value is durable. Putting what is there is no change."""
        ...

    def get(self, digest: str) -> bytes:
        """Raises NotFound, or StateError where what is there has another digest."""
        ...

    def has(self, digest: str) -> bool: ...

    def delete(self, digest: str) -> None:
        """Deleting what is not there is no change."""
        ...

    def all(self) -> Iterator[str]:
        """Every digest, in no order."""
        ...


def key_of(digest: str) -> str:
    """`sha256/ab/cdef…`: where a value lies. Raises InvalidRequest."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise InvalidRequest(f"{digest!r} is not a digest of the form sha256:<64 hexadecimal digits>.")
    return f"sha256/{found[1][:2]}/{found[1][2:]}"


def _digest_of(key: str) -> str | None:
    _, _, rest = key.rpartition("sha256/")
    digest = "sha256:" + rest.replace("/", "")
    return digest if _DIGEST.fullmatch(digest) else None


def _checked(data: bytes, digest: str) -> bytes:
    if digest_bytes(data) != digest:
        raise StateError(f"The stored value {digest} is damaged; restore it from a backup.")
    return data


class FolderBlobs:
    """Files, each written aside and then linked into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        digest = digest_bytes(data)
        place = self._folder / key_of(digest)
        if place.exists():
            return digest
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = place.with_name(f".{place.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with open(aside, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(place)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise StateError(f"{self._folder} cannot be written: {error.strerror}; make room.") from error
        _sync(place.parent)
        return digest

    def get(self, digest: str) -> bytes:
        try:
            return _checked((self._folder / key_of(digest)).read_bytes(), digest)
        except FileNotFoundError:
            raise NotFound(f"There is no stored value {digest}.") from None

    def has(self, digest: str) -> bool:
        return (self._folder / key_of(digest)).is_file()

    def delete(self, digest: str) -> None:
        (self._folder / key_of(digest)).unlink(missing_ok=True)

    def all(self) -> Iterator[str]:
        for path in self._folder.glob("sha256/??/*"):
            if digest := _digest_of(path.relative_to(self._folder).as_posix()):
                yield digest


class ObjectBlobs:
    """Objects of a bucket, put on the condition that they are not there."""

    def __init__(self, store: Any) -> None:
        """`store` is an obstore store; `bucket` makes one."""
        self._store = store

    def put(self, data: bytes) -> str:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        digest = digest_bytes(data)
        with _reached():
            try:
                obstore.put(self._store, key_of(digest), data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                pass
        return digest

    def get(self, digest: str) -> bytes:
        import obstore

        with _reached():
            try:
                data = bytes(obstore.get(self._store, key_of(digest)).bytes())
            except FileNotFoundError:
                raise NotFound(f"There is no stored value {digest}.") from None
        return _checked(data, digest)

    def has(self, digest: str) -> bool:
        import obstore

        with _reached():
            try:
                obstore.head(self._store, key_of(digest))
            except FileNotFoundError:
                return False
        return True

    def delete(self, digest: str) -> None:
        import obstore

        with _reached():
            try:
                obstore.delete(self._store, key_of(digest))
            except FileNotFoundError:
                pass

    def all(self) -> Iterator[str]:
        import obstore

        with _reached():
            for batch in obstore.list(self._store, "sha256"):
                yield from (digest for item in batch if (digest := _digest_of(item["path"])))


def bucket(
    url: str,
    *,
    endpoint: str = "",
    region: str = "",
    access_key: str = "",
    secret_key: str = "",
    session_token: str = "",
    credentials: str = "",
) -> ObjectBlobs:
    """Blobs in `s3://bucket/prefix` or `gs://bucket/prefix`.

    What is left out comes from the environment, as the providers' own tools take it. `credentials` is a
    Google service account's JSON. Raises MissingExtra.
    """
    try:
        from obstore.store import GCSStore, S3Store
    except ImportError as error:
        raise MissingExtra("Keeping blobs in a bucket", "objects") from error
    scheme, _, rest = url.partition("://")
    name, _, prefix = rest.partition("/")
    client: dict[str, Any] = {"allow_http": endpoint.startswith("http://")}
    given = {
        "endpoint": endpoint,
        "region": region,
        "access_key_id": access_key,
        "secret_access_key": secret_key,
        "session_token": session_token,
    }
    google = {"service_account_key": credentials, "base_url": endpoint}
    make: Any = GCSStore if scheme == "gs" else S3Store
    config = {key: value for key, value in (google if scheme == "gs" else given).items() if value}
    return ObjectBlobs(make(name, prefix=prefix or None, config=config, client_options=client))


@contextmanager
def _reached() -> Generator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise Unreachable(
            f"The bucket cannot be used ({str(error).splitlines()[0]}); check [blobs] of noria.toml and the "
            "credentials."
        ) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
