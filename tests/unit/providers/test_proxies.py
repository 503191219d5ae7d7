from __future__ import annotations

import pytest

from noria.errors import ConfigError
from noria.providers.proxies import proxy_for

P = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://api.test/v1", {}, ""),
        ("https://api.test/v1", {"HTTPS_PROXY": P}, P),
        ("https://api.test/v1", {"https_proxy": P, "HTTPS_PROXY": "http://other.test"}, P),
        ("https://api.test/v1", {"HTTP_PROXY": P}, ""),
        ("http://api.test/v1", {"HTTP_PROXY": P}, P),
        ("http://api.test/v1", {"ALL_PROXY": P}, P),
        ("https://api.test/v1", {"ALL_PROXY": "proxy.test:3128"}, P),
        ("https://api.test/v1", {"HTTPS_PROXY": P, "NO_PROXY": "api.test"}, ""),
        ("https://eu.api.test/v1", {"HTTPS_PROXY": P, "NO_PROXY": "x.test, .api.test"}, ""),
        ("https://eu.api.test/v1", {"HTTPS_PROXY": P, "NO_PROXY": "*.api.test"}, ""),
        ("https://notapi.test/v1", {"HTTPS_PROXY": P, "NO_PROXY": "api.test"}, P),
        ("https://api.test/v1", {"HTTPS_PROXY": P, "no_proxy": "*"}, ""),
        ("https://api.test:8443/v1", {"HTTPS_PROXY": P, "NO_PROXY": "api.test:8443"}, ""),
        ("https://api.test:8443/v1", {"HTTPS_PROXY": P, "NO_PROXY": "api.test:443"}, P),
        ("https://10.1.2.3/v1", {"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8"}, ""),
        ("https://[fd00::1]/v1", {"HTTPS_PROXY": P, "NO_PROXY": "fd00::/8"}, ""),
        ("https://192.168.1.1/v1", {"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8"}, P),
        ("http://127.0.0.1:8401/v1", {"ALL_PROXY": P}, ""),
        ("http://127.5.5.5/v1", {"ALL_PROXY": P}, ""),
        ("http://[::1]:8401/v1", {"ALL_PROXY": P}, ""),
        ("http://localhost:11434/v1", {"ALL_PROXY": P}, ""),
        ("http://app.localhost/v1", {"ALL_PROXY": P}, ""),
    ],
)
def test_proxy_of_the_environment(url: str, environment: dict[str, str], expected: str) -> None:
    assert proxy_for(url, environment) == expected


def test_a_proxy_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="socks5"):
        proxy_for("https://api.test", {"ALL_PROXY": "socks5://proxy.test"})
