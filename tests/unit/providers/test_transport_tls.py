"""TLS to upstreams: a private authority, client certificates, and the way through a proxy."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from noria.errors import UpstreamError
from noria.gateway.transport import Origin
from noria.providers.transport import PooledTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
HEAD = b"POST /x HTTP/1.1\r\nhost: x\r\n"


class Authority:
    """A certificate authority of one's own, and what it signs, as PEM files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        certificate = self._signed(self._name, self._key, authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key, authority=False)
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@asynccontextmanager
async def _server(authority: Authority, *, client_certificates: bool = False) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(*map(str, authority.issue("server")))
    if client_certificates:
        context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(4)
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Proxy:
    """An HTTP proxy that tunnels, and remembers what it was asked."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.heads: list[bytes] = []
        self._refuse = refuse

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self._refuse:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    found = PooledTransport()
    yield found
    found.close()


async def _call(transport: PooledTransport, origin: Origin) -> bytes:
    answer = await transport.send(origin, HEAD, b"body", connect=3.0, first=3.0, total_at=0.0)
    body = await answer.read()
    answer.release()
    return body


def _origin(port: int, **more: str) -> Origin:
    return Origin(host="127.0.0.1", port=port, tls=True, **more)


async def test_a_private_authority_is_trusted_where_it_is_named(
    transport: PooledTransport, authority: Authority
) -> None:
    async with _server(authority) as port:
        assert await _call(transport, _origin(port, ca_file=str(authority.file))) == b"hi"
        with pytest.raises(UpstreamError, match="TLS") as error:
            await _call(transport, _origin(port))
        assert error.value.kind == "connect"


async def test_a_client_certificate_is_shown(transport: PooledTransport, authority: Authority) -> None:
    certificate, key = authority.issue("client")
    async with _server(authority, client_certificates=True) as port:
        shown = _origin(port, ca_file=str(authority.file), client_cert=str(certificate), client_key=str(key))
        assert await _call(transport, shown) == b"hi"
        with pytest.raises(UpstreamError):
            await _call(transport, _origin(port, ca_file=str(authority.file)))


async def test_tls_goes_through_a_proxy_with_its_credentials(
    transport: PooledTransport, authority: Authority
) -> None:
    async with _server(authority) as port, Proxy() as proxy:
        origin = _origin(
            port, ca_file=str(authority.file), proxy=f"http://ann:se%20cret@127.0.0.1:{proxy.port}"
        )
        for _ in range(3):
            assert await _call(transport, origin) == b"hi"
        assert len(proxy.heads) == 1
        assert proxy.heads[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % port)
        assert b"proxy-authorization: Basic YW5uOnNlIGNyZXQ=" in proxy.heads[0]


async def test_a_proxy_that_refuses_is_told(transport: PooledTransport, authority: Authority) -> None:
    async with _server(authority) as port, Proxy(refuse=True) as proxy:
        origin = _origin(port, ca_file=str(authority.file), proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(UpstreamError, match="407") as error:
            await _call(transport, origin)
        assert error.value.kind == "connect"
