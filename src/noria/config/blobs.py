"""[blobs]: where large values are kept."""

from __future__ import annotations

from pydantic import model_validator

from noria.config.reference import HttpUrl, PathText, Secret
from noria.config.section import Section


class BlobsSection(Section):
    """A folder (left out: in the state folder), or a bucket."""

    folder: PathText | None = None
    url: str | None = None
    """Such as "s3://bucket/prefix" or "gs://bucket/prefix"."""
    endpoint: HttpUrl | None = None
    """Of a service that speaks the S3 API."""
    region: str | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    session_token: Secret | None = None
    credentials: Secret | None = None
    """A Google service account's JSON."""

    @model_validator(mode="after")
    def _one(self) -> BlobsSection:
        if self.folder is not None and self.url is not None:
            raise ValueError("must name one of `folder` and `url`, not both")
        if self.url is not None and not self.url.startswith(("s3://", "gs://")):
            raise ValueError(f"must have a `url` that begins with s3:// or gs://, not {self.url!r}")
        return self
