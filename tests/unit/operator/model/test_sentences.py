"""The words of a server, without what is another in every pass."""

import pytest

from somamemory_operator.model.sentences import steady


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(
            'pods "demo-api-5c9f8d7b6d-x2k4z" is forbidden: exceeded quota: small',
            'pods "demo-api-…" is forbidden: exceeded quota: small',
            id="the name of a pod",
        ),
        pytest.param(
            'pods "demo-migrate-0a1b2c3d4e-x2k4z" is forbidden',
            'pods "demo-migrate-0a1b2c3d4e-…" is forbidden',
            id="the name of a Job's pod",
        ),
        pytest.param(
            "the UID in the precondition (5f0c7a52-0000-4000-8000-00000000aaaa) does not match",
            "the UID in the precondition (…) does not match",
            id="an identity",
        ),
        pytest.param(
            "read tcp 10.0.0.1:53412->10.0.0.2:443: reset", "read tcp 10.0.0.1:…->10.0.0.2:443: reset", id="a port"
        ),
        pytest.param("expired at 2026-01-02T03:04:05Z", "expired at …", id="a time"),
        pytest.param("one\n  two", "one two", id="lines"),
        pytest.param(
            "demo-postgres-0 and demo-redis-config", "demo-postgres-0 and demo-redis-config", id="fixed names"
        ),
    ],
)
def test_what_moves_is_left_out(said: str, told: str) -> None:
    assert steady(said) == told


def test_a_long_text_ends() -> None:
    assert len(steady("word " * 1000)) < 700
