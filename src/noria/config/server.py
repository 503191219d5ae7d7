"""[server]: where Noria listens, and for whom."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field

from noria.config.reference import HttpUrl, PathText
from noria.config.section import Many, Section
from noria.config.units import Size

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$")]
ServedHost = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9.:_-]+)$")]


class ServerSection(Section):
    """Where Noria listens, and for whom."""

    host: Host = "127.0.0.1"
    """The address to listen on. Another than a loopback one needs keys and TLS."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8400
    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    """Gateway processes; left out: one for each core."""
    public: HttpUrl | None = None
    """The URL under which people reach this server, such as "https://noria.example.com"."""
    hosts: Many[ServedHost] = ()
    """Further Host header values that are served, without a port; "*": whatever the caller says."""
    origins: Many[HttpUrl] = ()
    """Origins whose pages may call the gateway from a browser."""
    tls_cert: PathText | None = None
    """A PEM file with the certificate and its chain."""
    tls_key: PathText | None = None
    tls_in_front: bool = False
    """Says that something in front of Noria does TLS."""
    max_body: Size = 33_554_432
    """Longest request body."""

    def loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
