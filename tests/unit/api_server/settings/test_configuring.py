"""The configuration dictionary: every key is honoured, refused, or named as idle; it wins over the environment."""

from pathlib import Path
from typing import Any

import pytest

from somafractalmemory.configuring import settings_from_config
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.settings.dictionary import IDLE, VARIABLES, read_config_file
from somafractalmemory.settings.tree import canonical
from somafractalmemory.wiring import open_api, open_embedded

SEED: dict[str, Any] = {
    "redis": {"host": "redis", "port": 6379},
    "postgres": {"url": "postgresql://soma@db:5432/somamemory"},
    "qdrant": {"host": "qdrant", "port": 6333},
    "eventing": {"enabled": False},
}


def settings(config: dict[str, Any], **environment: str) -> Settings:
    """What a dictionary makes of an environment."""
    return settings_from_config(config, environment=environment)[0]


def test_the_example_of_the_documentation_names_every_store() -> None:
    made, opener = settings_from_config(SEED, namespace="mine", environment={})

    assert opener is open_api
    assert made.namespace == "mine"
    assert made.redis_address == "redis://redis:6379/0"
    assert postgres_conninfo(made)["conninfo"] == "postgresql://soma@db:5432/somamemory"
    assert made.qdrant_address == "http://qdrant:6333"
    assert made.eventing_enabled is False


def test_the_dictionary_wins_over_the_environment() -> None:
    """An address comes from one of both, never half from each. (S-71)"""
    made = settings(
        SEED | {"memory_enterprise": {"vector_dim": 64}},
        POSTGRES_URL="postgresql://other/x",
        REDIS_URL="rediss://other:1/7",
        REDIS_DB="3",
        QDRANT_URL="https://other:1",
        QDRANT_TLS="true",
        EVENTING_ENABLED="true",
        SOMA_VECTOR_DIM="128",
        SOMA_MEMORY_NAMESPACE="theirs",
        LOG_LEVEL="ERROR",
    )

    assert postgres_conninfo(made)["conninfo"] == "postgresql://soma@db:5432/somamemory"
    assert made.redis_address == "redis://redis:6379/0"
    assert made.qdrant_address == "http://qdrant:6333"
    assert made.eventing_enabled is False
    assert made.vector_dim == 64
    assert (made.namespace, made.log_level) == ("theirs", "ERROR")


def test_the_environment_says_what_the_dictionary_leaves_open() -> None:
    made = settings(
        {"eventing": {"enabled": False}, "redis": {"testing": False}},
        POSTGRES_URL="postgresql://env/x",
        REDIS_URL="redis://env:1/2",
        QDRANT_URL="http://env:3",
    )

    assert postgres_conninfo(made)["conninfo"] == "postgresql://env/x"
    assert (made.redis_address, made.qdrant_address) == ("redis://env:1/2", "http://env:3")


@pytest.mark.parametrize(
    "config",
    [
        {"redis": {"testing": True}},
        {"vector": {"backend": "memory"}},
        {"qdrant": {"testing": True}},
        {"qdrant": {"location": ":memory:"}},
        {"redis": {"testing": True}, "qdrant": {"path": "./qdrant.db"}},
    ],
)
def test_a_system_for_tests_needs_no_store_whatever_the_environment_says(config: dict[str, Any]) -> None:
    made, opener = settings_from_config(config, environment={"POSTGRES_URL": "postgresql://env/x"})

    assert opener is open_embedded
    assert made.limits_requests is False


@pytest.mark.parametrize("vectors", [{"vector": {"backend": "memory"}}, {"qdrant": {"location": ":memory:"}}])
def test_a_postgres_in_the_dictionary_stays_the_truth_beside_an_index_in_memory(vectors: dict[str, Any]) -> None:
    made, opener = settings_from_config({"postgres": SEED["postgres"], **vectors}, environment={})

    assert opener is open_api
    assert made.vector_backend == "memory"
    assert made.redis_address is None


def test_a_location_is_an_address_or_a_host() -> None:
    index = {"postgres": SEED["postgres"]}

    assert settings(index | {"qdrant": {"location": "https://cloud:6333"}}).qdrant_address == "https://cloud:6333"
    assert settings(index | {"qdrant": {"location": "here", "port": 7}}).qdrant_address == "http://here:7"


def test_an_index_in_a_folder_needs_no_address() -> None:
    made = settings({"postgres": SEED["postgres"], "qdrant": {"path": "./qdrant.db"}}, QDRANT_URL="http://other:1")

    assert made.qdrant_path == Path("qdrant.db")
    assert settings(SEED, QDRANT_PATH="elsewhere").qdrant_path is None


def test_events_without_a_named_broker_go_to_the_usual_one() -> None:
    stores = {key: SEED[key] for key in ("postgres", "qdrant")}

    assert settings(stores).kafka_bootstrap_servers == "localhost:9092"
    assert settings(stores, KAFKA_BOOTSTRAP_SERVERS="log:1").kafka_bootstrap_servers == "log:1"
    assert settings(stores | {"infra": {"kafka": "k"}}).kafka_bootstrap_servers == "k:9092"


def test_every_wrong_key_is_named_at_once_with_what_is_known() -> None:
    config = {"redis": {"hots": "x"}, "quadrant": {}, "postgres": "postgresql://db/x", "eventing": {"topics": {"x": 1}}}

    with pytest.raises(ConfigurationError) as raised:
        settings(config)

    message = str(raised.value)
    assert "redis.hots: there is no such key; known here: redis.db, redis.host" in message
    assert "quadrant: there is no such key" in message
    assert "postgres: a mapping is expected" in message
    assert "eventing.topics.x: there is no such key; known here: eventing.topics.memory_dlq" in message


def test_a_wrong_value_is_told_by_its_key_and_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings({**SEED, "redis": {"host": "r", "port": "many", "password": "hunter2"}})

    assert "redis.port (REDIS_PORT): " in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_system_without_stores_says_what_to_name() -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings({})

    assert "POSTGRES_URL: required" in str(raised.value)
    assert "QDRANT_URL: required" in str(raised.value)
    assert "SOMA_API_TOKEN" not in str(raised.value)


def test_the_token_is_fresh_each_time_and_the_only_one() -> None:
    one = settings({"redis": {"testing": True}}, SOMA_API_TOKEN="guessed", SOMA_API_TOKEN_FILE="/nowhere")
    other = settings({"redis": {"testing": True}})

    assert one.api_token_file is None
    assert one.api_token is not None
    assert one.api_token != other.api_token
    assert len(one.api_token.get_secret_value()) >= 32


def test_the_sample_file_of_the_documentation_is_accepted(tmp_path: Path) -> None:
    """The original refused its own sample."""
    sample = tmp_path / "config.yaml"
    sample.write_text(
        "langfuse_public: x\n"
        "redis: {testing: true}\n"
        "qdrant: {path: ./qdrant.db}\n"
        "eventing:\n"
        "  bootstrap_servers: localhost:9092\n"
        "  schema_registry_url: http://localhost:8080\n"
        "  topics: {memory_events: memory.events, memory_audit: memory.audit, memory_dlq: memory.dlq}\n"
        "memory_enterprise:\n"
        "  vector_dim: 768\n"
        "  pruning_interval_seconds: 60\n"
        "  decay_thresholds_seconds: [30, 300]\n"
        "  decayable_keys_by_level: [[scratch, temp_notes], [low_importance]]\n"
    )

    _, opener = settings_from_config(read_config_file(sample), environment={})

    assert opener is open_embedded


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.toml", "x = 1", "ends in .json, .yaml or .yml"),
        ("config.json", "{", "cannot be read"),
        ("config.json", "[]", "no mapping"),
        ("config.yaml", "a: [", "cannot be read"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigurationError, match=said):
        read_config_file(tmp_path / name)


def test_a_file_may_be_missing_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")

    assert read_config_file(tmp_path / "missing.json") == {}
    assert read_config_file(tmp_path / "empty.yaml") == {}


def test_a_file_of_the_environment_adds_no_part_to_an_address(tmp_path: Path) -> None:
    """(S-71)"""
    file = tmp_path / "soma.yaml"
    file.write_text(
        "REDIS_URL: rediss://other:1/7\nREDIS_DB: 5\nQDRANT_URL: https://other:1\nPOSTGRES_URL: postgresql://o/x\n"
    )
    environment = {"SOMA_CONFIG_FILE": str(file)}

    made = settings(SEED, **environment)
    by_url = settings(SEED | {"redis": {"url": "redis://r:2/3"}, "qdrant": {"url": "http://q:4"}}, **environment)

    assert (made.redis_address, made.qdrant_address) == ("redis://redis:6379/0", "http://qdrant:6333")
    assert (by_url.redis_address, by_url.qdrant_address) == ("redis://r:2/3", "http://q:4")
    assert settings({"eventing": {"enabled": False}}, **environment).qdrant_address == "https://other:1"


def test_every_key_stands_for_a_setting_that_there_is() -> None:
    assert set(VARIABLES.values()) <= set(canonical())


def test_what_the_dictionary_says_of_age_and_size_is_honoured() -> None:
    made = settings(
        {
            "redis": {"testing": True},
            "memory_enterprise": {
                "max_memory_size": 50,
                "pruning_interval_seconds": 7,
                "decay_thresholds_seconds": [30, 300],
                "decayable_keys_by_level": [["scratch", "temp_notes"], ["low_importance"]],
                "decay_enabled": False,
                "reconcile_enabled": True,
            },
        },
        SOMA_MAX_MEMORY_SIZE="9",
    )

    assert (made.max_memory_size, made.pruning_interval_seconds, made.decay_enabled) == (50, 7, False)
    assert list(made.decay_thresholds_seconds) == [30, 300]
    assert list(map(list, made.decayable_keys_by_level)) == [["scratch", "temp_notes"], ["low_importance"]]


def test_no_key_is_both_honoured_and_idle() -> None:
    assert not VARIABLES.keys() & IDLE.keys()
