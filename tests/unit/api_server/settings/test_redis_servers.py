"""Addresses of more than one Redis."""

import pytest

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import load_settings
from somafractalmemory.settings.redis_servers import Servers, kind_of, servers


def test_an_address_says_everything() -> None:
    said = servers("rediss+sentinel://us:p%40ss@a,b:26380,[::1]:26381/3?service=ours")

    hosts = (("a", 26379), ("b", 26380), ("::1", 26381))
    assert said == Servers("sentinel", hosts, "ours", "us", "p@ss", 3, tls=True)


def test_little_is_enough() -> None:
    assert servers("redis+sentinel://a?service=ours") == Servers(
        "sentinel", (("a", 26379),), "ours", None, None, 0, tls=False
    )


def test_of_a_cluster_some_servers_are_enough() -> None:
    said = servers("rediss+cluster://us@a,b:7000")

    assert said == Servers("cluster", (("a", 6379), ("b", 7000)), "", "us", None, 0, tls=True)


@pytest.mark.parametrize("url", ["redis://a", "rediss://a/0", "redis+other://a", "http+cluster://a"])
def test_one_server_is_no_several(url: str) -> None:
    assert kind_of(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://a/1",
        "redis+cluster://",
        "redis+cluster://a?service=x",
        "redis+sentinel://a",
        "redis+sentinel://?service=x",
        "redis+sentinel://a:b?service=x",
        "redis+sentinel://a/x?service=y",
    ],
)
def test_what_is_no_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        load_settings({"REDIS_URL": url})
