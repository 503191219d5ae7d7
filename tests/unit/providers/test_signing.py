"""Signers by a provider's auth; Google's token exchange against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from noria.errors import ConfigError, UpstreamError
from noria.gateway.snapshot import Provider
from noria.gateway.transport import Signer
from noria.providers.google_auth import GoogleSigner
from noria.providers.signing import signer
from noria.providers.transport import PooledTransport

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CALL: dict[str, Any] = {"method": "POST", "host": "h", "path": "/", "body": b""}


def pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def provider(
    auth: Any, base_url: str = "https://x.test", dialect: str = "bedrock", **fields: Any
) -> Provider:
    return Provider(name="p", dialect=dialect, base_url=base_url, auth=auth, **fields)


class TokenServer:
    """Google's token endpoint: checks each assertion, counts, and answers after `delay` seconds."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.delay = 0.0
        self.status = 200
        self.answer: dict[str, Any] | None = None
        self.lifetime = 3600
        self.claims: dict[str, Any] = {}

    async def __aenter__(self) -> TokenServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/token"
        self.credentials = json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": "k1",
                "private_key": pem(KEY),
                "client_email": "noria@p.iam.gserviceaccount.com",
                "token_uri": self.url,
            }
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"POST /token HTTP/1.1\r\n")
                lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                form = parse_qs((await reader.readexactly(int(lines[0].split(b":")[1]))).decode())
                assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
                self._check(form["assertion"][0])
                self.exchanges += 1
                answer = self.answer or {
                    "access_token": f"token-{self.exchanges}",
                    "expires_in": self.lifetime,
                    "token_type": "Bearer",
                }
                await asyncio.sleep(self.delay)
                body = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (self.status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _check(self, assertion: str) -> None:
        head, claims, signature = (urlsafe_b64decode(part + "===") for part in assertion.split("."))
        signed = assertion.rpartition(".")[0].encode()
        KEY.public_key().verify(signature, signed, PKCS1v15(), SHA256())
        assert json.loads(head) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        self.claims = json.loads(claims)
        assert self.claims["aud"] == self.url and self.claims["iss"] == "noria@p.iam.gserviceaccount.com"
        assert self.claims["exp"] - self.claims["iat"] == 3600


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    async with TokenServer() as tokens:
        yield tokens


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    made = PooledTransport()
    yield made
    made.close()


async def bearer(signer: Signer) -> str:
    return (await signer.headers(**CALL))["authorization"].removeprefix("Bearer ")


async def test_one_exchange_serves_all_who_wait(server: TokenServer, transport: PooledTransport) -> None:
    made = signer(provider("google"), {"credentials": server.credentials}, transport=transport)
    assert made is not None
    server.delay = 0.05
    assert set(await asyncio.gather(*(bearer(made) for _ in range(20)))) == {"token-1"}
    assert await bearer(made) == "token-1"
    assert server.exchanges == 1


async def test_a_token_is_renewed_ahead_and_nobody_waits(
    server: TokenServer, transport: PooledTransport
) -> None:
    clock = Clock()
    made = GoogleSigner(server.credentials, transport=transport, clock=clock)
    assert await bearer(made) == "token-1"
    clock.now += 3400
    assert await bearer(made) == "token-1"
    for _ in range(100):
        await asyncio.sleep(0.01)
        if server.exchanges == 2 and await bearer(made) == "token-2":
            break
    assert await bearer(made) == "token-2"
    clock.now += 4000
    assert await bearer(made) == "token-3"


async def test_an_outage_near_the_end_of_a_token_is_not_felt_nor_hammered(
    server: TokenServer, transport: PooledTransport
) -> None:
    clock = Clock()
    made = GoogleSigner(server.credentials, transport=transport, clock=clock)
    assert await bearer(made) == "token-1"
    clock.now += 3400
    server.status, server.answer = 500, {"error": "backend"}
    for _ in range(10):
        assert await bearer(made) == "token-1"
        await asyncio.sleep(0.01)
    assert server.exchanges == 2
    clock.now += 300
    with pytest.raises(UpstreamError, match="backend"):
        await bearer(made)
    server.status, server.answer = 200, None
    assert await bearer(made) == "token-4"


async def test_a_caller_who_leaves_does_not_stop_the_exchange(
    server: TokenServer, transport: PooledTransport
) -> None:
    made = GoogleSigner(server.credentials, transport=transport)
    server.delay = 0.05
    first, second = asyncio.create_task(bearer(made)), asyncio.create_task(bearer(made))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == "token-1"
    assert server.exchanges == 1


async def test_refusals_are_errors_of_authentication(server: TokenServer, transport: PooledTransport) -> None:
    made = GoogleSigner(server.credentials, transport=transport)
    server.status, server.answer = 400, {"error": "invalid_grant", "error_description": "Invalid JWT."}
    with pytest.raises(UpstreamError, match=r"\(400\): Invalid JWT\.") as caught:
        await bearer(made)
    assert caught.value.kind == "auth"
    server.status, server.answer = 200, {"nothing": 1}
    with pytest.raises(UpstreamError, match="not in its form"):
        await bearer(made)
    await server.__aexit__()
    await asyncio.sleep(0)
    transport.close()
    with pytest.raises(UpstreamError, match="No Google access token") as caught:
        await bearer(made)
    assert caught.value.kind == "auth"


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ("{}", "client_email"),
        ("not json", "key file"),
        ('{"client_email":"a","private_key":"x","type":"authorized_user"}', "authorized_user"),
        ('{"client_email":"a","private_key":"x"}', "RSA key"),
        (
            json.dumps({"client_email": "a", "private_key": pem(ec.generate_private_key(ec.SECP256R1()))}),
            "RSA key",
        ),
        (json.dumps({"client_email": "a", "private_key": pem(KEY), "token_uri": "ftp://x"}), "token_uri"),
    ],
)
async def test_wrong_credentials_are_named(credentials: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        signer(provider("google"), {"credentials": credentials}, transport=PooledTransport())


AWS = {"access_key": "AKID", "secret_key": "secret"}
BEDROCK = "https://bedrock-runtime.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("base_url", "dialect", "options", "scope"),
    [
        (BEDROCK, "bedrock", {}, "eu-west-1/bedrock"),
        (BEDROCK, "bedrock", {"region": "us-east-2"}, "us-east-2/bedrock"),
        ("https://vpce.internal", "bedrock", {"region": "us-east-2", "service": "x"}, "us-east-2/x"),
        ("https://sagemaker.eu-west-1.amazonaws.com", "openai", {}, "eu-west-1/sagemaker"),
    ],
)
async def test_region_and_service(base_url: str, dialect: str, options: dict[str, str], scope: str) -> None:
    made = signer(
        provider("sigv4", base_url, dialect, options=options),
        {**AWS, "session_token": "tok"},
        transport=PooledTransport(),
    )
    assert made is not None
    headers = await made.headers(**CALL)
    assert f"/{scope}/aws4_request" in headers["authorization"]
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in headers["authorization"]
    assert headers["x-amz-security-token"] == "tok"


@pytest.mark.parametrize(
    ("made", "secrets", "said"),
    [
        (provider("sigv4", BEDROCK), {"access_key": "a"}, "'secret_key'"),
        (provider("sigv4", "https://x.test"), AWS, "region"),
        (provider("sigv4", "https://x.test", "openai", region="eu"), AWS, "service"),
        (provider("google"), {}, "'credentials'"),
    ],
)
async def test_what_is_missing_is_named(made: Provider, secrets: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        signer(made, secrets, transport=PooledTransport())


@pytest.mark.parametrize("auth", ["none", "bearer", "x-api-key", "api-key", "x-goog-api-key"])
async def test_fixed_headers_need_no_signer(auth: str) -> None:
    assert signer(provider(auth), {}, transport=PooledTransport()) is None
