"""Addresses of Redis behind Sentinel."""

import pytest

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import load_settings
from somafractalmemory.settings.sentinels import Sentinels, sentinels


def test_an_address_says_everything() -> None:
    said = sentinels("rediss+sentinel://us:p%40ss@a,b:26380,[::1]:26381/3?service=ours")

    hosts = (("a", 26379), ("b", 26380), ("::1", 26381))
    assert said == Sentinels(hosts, "ours", "us", "p@ss", 3, tls=True)


def test_little_is_enough() -> None:
    assert sentinels("redis+sentinel://a?service=ours") == Sentinels((("a", 26379),), "ours", None, None, 0, tls=False)


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a",
        "redis+sentinel://?service=x",
        "redis+sentinel://a:b?service=x",
        "redis+sentinel://a/x?service=y",
    ],
)
def test_what_is_no_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        load_settings({"REDIS_URL": url})
