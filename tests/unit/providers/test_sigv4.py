"""SigV4 against AWS's published examples and against botocore."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.providers.sigv4 import Credentials, Scope, SigV4Signer, authorization

EXAMPLE = Credentials(access_key="AKIDEXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
VANILLA = {"host": "example.amazonaws.com"}
IAM = {"host": "iam.amazonaws.com", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "signature"),
    [
        # AWS's signature version 4 test suite: get-vanilla, get-vanilla-query-order-key-case, post-vanilla.
        ("service", "GET", "/", VANILLA, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "service", "GET", "/?Param2=value2&Param1=value1", VANILLA,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("service", "POST", "/", VANILLA, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        # AWS General Reference, "Signature Version 4 signing process", the worked example.
        (
            "iam", "GET", "/?Action=ListUsers&Version=2010-05-08", IAM,
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ],
)  # fmt: skip
def test_published_examples(
    service: str, method: str, path: str, headers: dict[str, str], signature: str
) -> None:
    made = authorization(
        EXAMPLE,
        Scope("us-east-1", service),
        method=method,
        path=path,
        headers={**headers, "x-amz-date": "20150830T123600Z"},
        payload_hash=sha256(b"").hexdigest(),
        at=AT,
    )
    assert made.endswith(f"Signature={signature}")
    assert made.startswith(
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, "
    )


segments = st.text("abcXYZ019-_.~", min_size=1, max_size=8).filter(lambda s: s.strip("."))
encoded = st.sampled_from(["a%3A0", "arn%3Aaws%2Fx", "%E1%88%B4", "plain"])
paths = st.lists(segments | encoded, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
queries = st.sampled_from(["", "?alt=sse", "?b=2&a=1", "?a=x%20y", "?a="])


@settings(deadline=None)
@given(
    paths, queries, st.binary(max_size=50), st.sampled_from(["", "token/+="]), st.sampled_from([None, 8443])
)
async def test_botocore_signs_the_same(
    path: str, query: str, body: bytes, token: str, port: int | None
) -> None:
    host = "bedrock-runtime.eu-west-1.amazonaws.com" + (f":{port}" if port else "")
    request = AWSRequest(method="POST", url=f"https://{host}{path}{query}", data=body)
    boto = BotoCredentials(EXAMPLE.access_key, EXAMPLE.secret_key, token or None)
    SigV4Auth(boto, "bedrock", "eu-west-1").add_auth(request)
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = Credentials(access_key=EXAMPLE.access_key, secret_key=EXAMPLE.secret_key, session_token=token)
    signer = SigV4Signer(ours, Scope("eu-west-1", "bedrock"), now=lambda: at)
    headers = await signer.headers(method="POST", host=host, path=path + query, body=body)
    assert headers == {name.lower(): value for name, value in request.headers.items()}
