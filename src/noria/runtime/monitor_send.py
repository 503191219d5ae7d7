"""Alerts on their way to people: a webhook by HTTP, an e-mail by SMTP.

A webhook gets one POST and ten seconds for all of it, whatever it does; redirects are not followed, and of
what it answers only the status counts. It may be any address that noria.toml names, this machine's own, too.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from noria import __version__
from noria.config.config import Config
from noria.config.monitor import ChannelSection, SmtpSection
from noria.core.clock import Clock
from noria.errors import NoriaError
from noria.monitoring.alert import Delivery, signature
from noria.providers.secrets import read_secret
from noria.storage.alerts import AlertTable

DEADLINE = 10.0
"""Seconds for one attempt at a webhook."""
SMTP_TIMEOUT = 15.0
"""Seconds for each step of a conversation with a mail server."""
_log = logging.getLogger("noria.monitors")


class Undelivered(Exception):
    """One attempt failed; the message says why, without a secret."""


class Sender:
    """`round` sends what is due. For one thread."""

    def __init__(
        self, alerts: AlertTable, clock: Clock, *, config: Callable[[], Config | None], folder: Path
    ) -> None:
        """`folder` is noria.toml's."""
        self._alerts = alerts
        self._clock = clock
        self._config = config
        self._folder = folder

    def round(self) -> int:
        """How many attempts were made."""
        due = self._alerts.due(self._now())
        if due:
            asyncio.run(self._send_all(due))
        return len(due)

    async def _send_all(self, due: list[Delivery]) -> None:
        async with httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=DEADLINE) as client:
            await asyncio.gather(*(self._send(client, delivery) for delivery in due))

    async def _send(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        try:
            await self._attempt(client, delivery)
        except (Undelivered, NoriaError) as error:
            _log.warning("Delivery %s to channel %s: %s", delivery.id, delivery.channel, error)
            after = delivery.missed(str(error), at_ms=self._now())
        except Exception as error:  # A boundary: one delivery that fails must not hold up the others.
            _log.exception("Delivery %s to channel %s failed", delivery.id, delivery.channel)
            after = delivery.missed(f"{type(error).__name__} while it was sent.", at_ms=self._now())
        else:
            after = delivery.sent(at_ms=self._now())
        await asyncio.to_thread(self._alerts.put_delivery, after)

    async def _attempt(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        config = self._config()
        channel = None if config is None else config.channels.get(delivery.channel)
        if config is None or channel is None:
            raise Undelivered(f"noria.toml has no [channels.{delivery.channel}].")
        if channel.email is None:
            await self._post(client, channel, delivery)
        elif config.smtp is None:
            raise Undelivered("noria.toml has no [smtp].")
        else:
            password = "" if config.smtp.password is None else self._secret(config.smtp.password)
            mail = mail_of(delivery, sender=config.smtp.sender, to=channel.email)
            await asyncio.to_thread(send_mail, config.smtp, mail, password=password)

    async def _post(self, client: httpx2.AsyncClient, channel: ChannelSection, delivery: Delivery) -> None:
        where = channel.webhook or ""
        url = where if where.startswith(("http://", "https://")) else self._secret(where)
        if urlsplit(url).scheme not in ("http", "https"):
            raise Undelivered("The webhook's reference holds no http:// or https:// URL.")
        body, at_s = delivery.body.encode(), self._now() // 1000
        headers = {
            "content-type": "application/json",
            "user-agent": f"Noria/{__version__}",
            "noria-delivery": delivery.id,
            "noria-timestamp": str(at_s),
        }
        if channel.secret is not None:
            headers["noria-signature"] = f"v1={signature(self._secret(channel.secret), body, at_s=at_s)}"
        try:
            async with (
                asyncio.timeout(DEADLINE),
                client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except (TimeoutError, httpx2.TimeoutException):
            raise Undelivered(f"The webhook did not answer within {DEADLINE:g} s.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Not the error's own words: they may hold the URL, which may be a secret.
            raise Undelivered(f"The webhook cannot be reached ({type(error).__name__}).") from None
        if 300 <= status < 400:
            raise Undelivered(f"The webhook answered {status}, a redirect; those are not followed.")
        if not 200 <= status < 300:
            raise Undelivered(f"The webhook answered {status}.")

    def _secret(self, reference: str) -> str:
        return read_secret(reference, base=self._folder)

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


class SendLoop:
    """A Sender in a thread of its own: a webhook that hangs holds up no rule."""

    def __init__(self, sender: Sender, *, every: float = 1.0) -> None:
        self._sender = sender
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor-send", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is on its way is sent again by the next start, under the same id."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(3.0)

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._sender.round()
            except Exception:  # A boundary: the thread goes on, the deliveries wait.
                _log.exception("Alerts could not be sent")


def mail_of(delivery: Delivery, *, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The e-mail of a delivery."""
    said: dict[str, Any] = msgspec.json.decode(delivery.body)
    mail = EmailMessage()
    state = said.get("state", "test")
    mail["Subject"] = f"[Noria] {state}: {said.get('monitor', 'a test')} {said.get('rule', '')}".strip()
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = make_msgid(idstring=delivery.id, domain=sender.rpartition("@")[2])
    lines = [str(said.get("text", "")), ""]
    if said.get("low") is not None:
        lines.append(f"95 % interval: {said['low']:.4g} to {said['high']:.4g}")
    lines += [f"Project: {said.get('project', '')}", str(said.get("url", ""))]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send_mail(smtp: SmtpSection, mail: EmailMessage, *, password: str) -> None:
    """Raises Undelivered."""
    try:
        with _connected(smtp) as server:
            if smtp.user:
                server.login(smtp.user, password)
            refused = server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"The mail server answered {error.smtp_code}.") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"The mail server cannot be used ({type(error).__name__}).") from None
    if refused:
        raise Undelivered(f"The mail server refused {', '.join(sorted(refused))}.")


def _connected(smtp: SmtpSection) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if smtp.security == "tls":
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SMTP_TIMEOUT, context=context)
    server = smtplib.SMTP(smtp.host, smtp.port, timeout=SMTP_TIMEOUT)
    try:
        if smtp.security == "starttls":
            server.starttls(context=context)
    except (smtplib.SMTPException, OSError):
        server.close()
        raise
    return server
