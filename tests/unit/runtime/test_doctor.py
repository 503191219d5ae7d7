"""`noria doctor`: each thing that can be wrong, made so, found, named, with what to do."""

from __future__ import annotations

import datetime
import fcntl
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from noria.runtime import doctor_processes
from noria.runtime.doctor import examine
from noria.runtime.finding import Finding
from noria.runtime.supervisor import Child, Status
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.ledger import Ledger
from noria.storage.spool import SpoolWriter
from noria.testing.stack import free_port
from noria.tracing.record import Otlp


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A noria.toml and a state folder, both in order."""
    monkeypatch.delenv("NORIA_HOME", raising=False)
    monkeypatch.setenv("NORIA_CACHE", str(tmp_path / "cache"))
    found = tmp_path / "noria.toml"
    found.write_text(f"[server]\nport = {free_port()}\n")
    home = Home.beside(found)
    Database.open(home.database).close()
    Ledger(home.ledger).close()
    home.pepper()
    return found


def look(path: Path, **environment: str) -> list[Finding]:
    return examine(path, environment=environment, network=True, report=lambda what: None)


def wrong(path: Path, **environment: str) -> list[Finding]:
    return [one for one in look(path, **environment) if one.level == "wrong"]


def only(found: list[Finding], check: str) -> Finding:
    assert [one.check for one in found] == [check], found
    assert found[0].what.endswith((".", "?")) and found[0].todo.endswith((".", "`"))
    return found[0]


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_nothing_is_wrong_and_each_check_says_so(path: Path) -> None:
    before = set(path.parent.rglob("*"))
    found = look(path)
    assert {one.level for one in found} <= {"ok", "note"}, found
    assert {one.check for one in found} >= {
        "configuration",
        "state folder",
        "disk",
        "port",
        "databases",
        "clock",
    }
    made = {one.name for one in set(path.parent.rglob("*")) - before}
    assert all(name.endswith(("-shm", "-wal")) for name in made), "it looks only; SQLite's readers make these"


def test_nothing_is_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NORIA_HOME", raising=False)
    found = look(tmp_path / "noria.toml")
    assert "noria init" in found[0].todo
    assert not list(tmp_path.iterdir())


def test_a_mistake_in_the_configuration(path: Path) -> None:
    add(path, "prot = 1\n")
    [found] = [one for one in wrong(path) if one.check == "configuration"]  # The port may be another's.
    assert "unknown key `prot`" in found.what


def test_a_variable_that_is_missing(path: Path) -> None:
    add(path, '[providers.groq]\napi_key = "env:GROQ_KEY"\n')
    assert all("GROQ_KEY" in one.what for one in wrong(path))


def test_the_port_is_taken(path: Path) -> None:
    port = int(path.read_text().split()[-1])
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); print(1, flush=True);"
    code += "time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        found = only(wrong(path), "port")
        assert f"process {process.pid}" in found.what and "python" in found.what
        assert f"kill {process.pid}" in found.todo
    finally:
        process.kill()
        process.communicate()


def test_others_may_read_the_state(path: Path) -> None:
    (path.parent / ".noria").chmod(0o755)
    found = only(wrong(path), "state folder")
    assert f"chmod 700 {path.parent / '.noria'}" in found.todo
    (path.parent / ".noria").chmod(0o700)
    (path.parent / ".noria" / "secret").chmod(0o644)
    assert "chmod 600" in only(wrong(path), "state folder").todo


def test_the_disk_is_nearly_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))(100_000_000_000, 99_900_000_000, 100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = wrong(path)
    assert {one.check for one in found} == {"disk"} and "Only 0.1 GB of 100 GB" in found[0].what


def test_a_damaged_database(path: Path) -> None:
    home = Home.beside(path)
    data = bytearray(home.database.read_bytes())
    for at in range(8192, len(data), 4096):
        data[at : at + 64] = os.urandom(64)
    home.database.write_bytes(data)
    found = only(wrong(path), "databases")
    assert "noria.db is damaged" in found.what and "noria restore" in found.todo
    home.database.write_bytes(b"no database at all" * 300)
    assert "noria.db is damaged" in only(wrong(path), "databases").what
    home.database.unlink()
    Database.open(home.database).close()
    home.ledger.write_bytes(b"no database at all" * 300)
    assert "ledger.db is damaged" in only(wrong(path), "databases").what


def test_a_newer_and_an_older_schema(path: Path) -> None:
    home = Home.beside(path)
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer than this program" in only(wrong(path), "databases").what
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    with sqlite3.connect(home.ledger) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    found = look(path)
    assert [one.level for one in found if one.check == "databases"] == ["note", "wrong"]
    assert any("schema 99, newer" in one.what for one in found)


def test_weights_that_are_missing(path: Path) -> None:
    add(path, '[engines.chat]\nweights = "smollm2-135m-instruct"\n')
    found = only(wrong(path), "engines")
    assert "noria model pull smollm2-135m-instruct" in found.todo


def test_a_part_that_is_not_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    from noria.runtime import doctor_machine

    monkeypatch.setattr(
        doctor_machine, "find_spec", lambda name: None if name == "obstore" else find_spec(name)
    )
    add(path, '[blobs]\nurl = "s3://bucket"\n')
    assert "noria[objects]" in only(wrong(path), "parts").todo


def _supervised(home: Home, *children: Child) -> None:
    status = Status(pid=os.getpid(), address="http://127.0.0.1:1", children=list(children))
    (home.run / "supervisor.json").write_bytes(msgspec.json.encode(status))


@pytest.fixture
def held() -> Iterator[Callable[[Path], None]]:
    """Takes the flock of a file for as long as the test runs."""
    files: list[int] = []

    def hold(path: Path) -> None:
        files.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(files[-1], fcntl.LOCK_EX)

    yield hold
    for file in files:
        os.close(file)


def test_locks_and_what_a_death_leaves(path: Path, held: Callable[[Path], None]) -> None:
    home = Home.beside(path)
    _supervised(home)
    (home.run / "supervisor.lock").touch()
    left = [one for one in look(path) if one.check == "processes"]
    assert left[0].level == "note" and "supervisor.json" in left[0].what
    held(home.run / "worker-0.lock")
    found = [one for one in wrong(path) if one.check == "processes"]
    assert f"worker-0 (process {os.getpid()}) runs without its supervisor" in found[0].what


def test_a_process_that_is_down_and_an_engine_that_does_not_answer(
    path: Path, held: Callable[[Path], None], tmp_path: Path
) -> None:
    home = Home.beside(path)
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    add(path, f'[engines.chat]\nweights = "file:{tmp_path / "some.gguf"}"\n')
    from noria.providers.engine import reserve
    from noria.providers.weights import pull

    pull(f"file:{tmp_path / 'some.gguf'}")
    reserve("chat", home)
    held(home.run / "supervisor.lock")
    (home.logs / "collector.log").write_text("one\nNothing can be written: disk full\n")
    _supervised(
        home,
        Child(role="collector", pid=0, restarts=2, last_exit=-9),
        Child(role="engine-chat", pid=os.getpid()),
        Child(role="worker-0", pid=os.getpid(), restarts=5, last_exit=2),
    )
    found = wrong(path)
    told = {one.check: one for one in found}
    assert "collector is down, last by SIGKILL" in found[0].what and "disk full" in found[0].what
    assert "worker-0 has been restarted 5 times, last with exit status 2" in found[1].what
    assert "Engine chat does not answer" in told["engines"].what
    assert "nothing answers on port" in told["port"].what


def test_a_collector_that_lags(
    path: Path, held: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_processes, "LAGGING", 100_000)
    home = Home.beside(path)
    writer = SpoolWriter(home.spool, writer="worker-0", limit_bytes=1 << 30, segment_bytes=1 << 20)
    for _ in range(100):
        writer.append(Otlp("traces", True, "default", "key_1", 1, b"x" * 5000))
    waiting = [one for one in look(path) if one.check == "spool"]
    assert waiting[0].level == "note" and "wait for a collector" in waiting[0].what
    held(home.run / "collector.lock")
    assert "The collector lags" in only([one for one in wrong(path) if one.check == "spool"], "spool").what
    add(path, '[telemetry]\nspool_max = "2MiB"\n')
    found = [one.what for one in wrong(path) if one.check == "spool"]
    assert any("full, so payload bodies" in what for what in found)
    writer.close()


class _Models(BaseHTTPRequestHandler):
    status = 200
    date = ""

    def do_GET(self) -> None:
        taken = self.headers.get("authorization") == "Bearer good" and self.path == "/v1/models"
        self.send_response_only(self.server.status if taken else 401)  # type: ignore[attr-defined]
        self.send_header("date", self.server.date or self.date_time_string())  # type: ignore[attr-defined]
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Callable[..., int]]:
    """Starts a provider; gives its port."""
    servers: list[HTTPServer] = []

    def start(*, status: int = 200, date: str = "", tls: ssl.SSLContext | None = None) -> int:
        server = HTTPServer(("127.0.0.1", 0), _Models)
        server.status, server.date = status, date  # type: ignore[attr-defined]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def provider(path: Path, base_url: str) -> None:
    add(path, f'[providers.acme]\ndialect = "openai"\nbase_url = "{base_url}"\napi_key = "env:K"\n')


def test_a_provider_that_answers_and_one_that_refuses_the_key(path: Path, served: Callable[..., int]) -> None:
    provider(path, f"http://127.0.0.1:{served()}/v1")
    assert any(one.what == "acme answers and takes the key." for one in look(path, K="good"))
    found = only(wrong(path, K="bad"), "providers")
    assert found.what == "acme refuses the key (401)."


def test_a_provider_without_an_address_or_a_listener(path: Path) -> None:
    provider(path, "http://no-such-host.invalid/v1")
    assert "cannot be resolved" in only(wrong(path, K="good"), "providers").what
    path.write_text(path.read_text().replace("no-such-host.invalid", f"127.0.0.1:{free_port()}"))
    assert "cannot be connected to" in only(wrong(path, K="good"), "providers").what


def test_a_provider_that_fails(path: Path, served: Callable[..., int]) -> None:
    provider(path, f"http://127.0.0.1:{served(status=500)}/v1")
    assert "answers 500" in only(wrong(path, K="good"), "providers").what


def test_a_certificate_that_is_not_trusted(path: Path, served: Callable[..., int], tmp_path: Path) -> None:
    context, authority = self_signed(tmp_path)
    provider(path, f"https://localhost:{served(tls=context)}/v1")
    found = only(wrong(path, K="good"), "providers")
    assert "certificate that is not trusted" in found.what and "ca_file" in found.todo
    add(path, f'ca_file = "{authority}"\n')
    assert wrong(path, K="good") == []


def test_tls_where_there_is_none(path: Path, served: Callable[..., int]) -> None:
    provider(path, f"https://localhost:{served()}/v1")
    assert "does not do TLS" in only(wrong(path, K="good"), "providers").what


def test_a_wrong_clock(path: Path, served: Callable[..., int]) -> None:
    provider(path, f"http://127.0.0.1:{served(date='Tue, 01 Jan 2030 00:00:00 GMT')}/v1")
    found = only(wrong(path, K="good"), "clock")
    assert "behind the providers'" in found.what and "set-ntp" in found.todo


def test_a_clock_behind_what_is_recorded(path: Path) -> None:
    later = datetime.datetime.now().timestamp() + 3600
    os.utime(Home.beside(path).database, (later, later))
    assert "behind what is recorded" in only(wrong(path), "clock").what


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


def test_listeners_of_a_port_that_nobody_has() -> None:
    assert doctor_processes.listeners(free_port()) == []
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert [pid for pid, _ in doctor_processes.listeners(server.getsockname()[1])] == [os.getpid()]
