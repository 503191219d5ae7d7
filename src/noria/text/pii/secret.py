"""Keys, tokens and passwords: by the prefixes that their issuers document, and by what stands before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from noria.text.pii.hit import Hit

_ISSUED = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic, OpenRouter
    r"|nk-[A-Za-z0-9_-]{20,200}"  # Noria
    r"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{20,}"  # GitLab
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"  # AWS access key id
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}"  # Google
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,}"  # Stripe
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}"  # Hugging Face, npm, PyPI
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|key-[0-9a-f]{32}"  # SendGrid, Mailgun
    r"|dop_v1_[0-9a-f]{64}|gsk_[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{37}"  # DigitalOcean, Groq, Replicate
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JSON Web Token (RFC 7519)
    r")(?![A-Za-z0-9])"
)
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----[\s\S]{0,20000}?"
    r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----"
)
_NAMED = re.compile(
    r"(?i)\b(?:api[ _-]?key|secret[ _-]?(?:access[ _-]?)?key|access[ _-]?token"
    r"|auth[ _-]?token|client[ _-]?secret|password|passwd|pwd)"
    r"[\"']?\s{0,3}(?:=|:|\bis\b)\s{0,3}[\"'`]?(?P<value>[^\s\"'`<>,;]{8,200})"
)
_BEARER = re.compile(
    r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic)\s{1,3}(?P<value>[\w.~+/=-]{12,4096})"
)
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@]{1,100}:(?P<value>[^\s/@<]{1,200})@")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^A-Za-z0-9]"))


def secret(text: str) -> Iterator[Hit]:
    """A value after "password" or the like counts where it has digits and something beside them."""
    for found in _ISSUED.finditer(text):
        yield Hit(found.start(), found.end(), "secret")
    if "PRIVATE KEY-----" in text:
        for found in _PEM.finditer(text):
            yield Hit(found.start(), found.end(), "secret")
    for found in _NAMED.finditer(text):
        value = found["value"].rstrip(".)]}")
        if sum(1 for kind in _CLASSES if kind.search(value)) >= 2 and _CLASSES[2].search(value):
            yield Hit(found.start("value"), found.start("value") + len(value), "secret")
    for pattern in (_BEARER, _URL):
        for found in pattern.finditer(text):
            yield Hit(found.start("value"), found.end("value"), "secret")
