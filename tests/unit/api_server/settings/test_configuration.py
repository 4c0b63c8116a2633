"""Settings: every error at once, secrets from files, and documentation that cannot lag behind."""

from pathlib import Path

import pytest
from pydantic import AliasChoices

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import SECRETS, Settings, load_settings, postgres_conninfo, redacted
from somafractalmemory.settings.retired import VARIABLES
from somafractalmemory.settings.tree import canonical
from somafractalmemory.settings.tree import variables as variables_of

DOCUMENT = Path(__file__).parents[4] / "docs" / "configuration.md"
EARLIER = """
MEMORY_MODE SOMA_MEMORY_NAMESPACE POSTGRES_URL POSTGRES_HOST_PORT REDIS_HOST_PORT QDRANT_HOST_PORT KAFKA_HOST_PORT
KAFKA_OUTSIDE_PORT KAFKA_BOOTSTRAP_SERVERS EVENTING_ENABLED SOMA_API_TOKEN SOMA_RATE_LIMIT_MAX
SOMA_RATE_LIMIT_WINDOW_SECONDS UVICORN_PORT
SOMA_API_TOKEN_FILE SOMA_CORS_ORIGINS SOMA_MAX_REQUEST_BODY_MB LOG_LEVEL SOMA_NAMESPACE SOMA_VECTOR_DIM SOMA_MODEL_NAME
SOMA_FORCE_HASH_EMBEDDINGS SOMA_HYBRID_RECALL_DEFAULT SFM_FAST_CORE REDIS_URL REDIS_HOST REDIS_PORT REDIS_DB QDRANT_URL
QDRANT_HOST QDRANT_PORT QDRANT_TLS QDRANT_TLS_CERT POSTGRES_SSL_MODE POSTGRES_SSL_ROOT_CERT POSTGRES_SSL_CERT
POSTGRES_SSL_KEY OTEL_*
KAFKA_SECURITY_PROTOCOL KAFKA_SSL_CA_LOCATION KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD
KAFKA_MEMORY_EVENTS_TOPIC KAFKA_CONSUMER_GROUP CONSUMER_METRICS_PORT QDRANT_COLLECTION QDRANT_EXTRA_COLLECTION
MEMORY_VECTOR_DIM
UVICORN_APP UVICORN_HOST UVICORN_WORKERS UVICORN_BACKLOG UVICORN_TIMEOUT_KEEP_ALIVE UVICORN_TIMEOUT_GRACEFUL
UVICORN_EXTRA_ARGS SOMA_FAST_START SOMA_SKIP_DEP_WAIT START_ASYNC_GRPC
USE_REAL_INFRA USE_LIVE_INFRA SOMA_INFRA_AVAILABLE SOMA_TEST_API_BASE_URL COMPOSE_PROJECT_NAME NAMESPACE SERVICE
LOCAL_PORT REMOTE_PORT HEALTH_CHECK_INTERVAL API_PORT MODE DEV_SERVICE_PORT DEV_NODEPORT SOMA_HELM_RELEASE
SOMA_IMAGE_REPO SOMA_IMAGE_TAG SOMA_PORT SFM_API_BASE SFM_HTTP_TIMEOUT SFM_HTTP_RETRIES SFM_BENCH_TOPICS SFM_BENCH_ITEMS
POSTGRES_POOL_SIZE SKIP_SCHEMA_VALIDATION VECTOR_INDEX_ASYNC SOMA_RATE_MAX SOMA_LANGFUSE_PUBLIC SOMA_LANGFUSE_SECRET
SOMA_LANGFUSE_HOST clusterName SOMA_API_PORT SOMA_GRPC_PORT SOMA_MAX_MEMORY_SIZE SOMA_PRUNING_INTERVAL_SECONDS
"""
NOT_OURS = DOCUMENT.read_text().partition("## Variables that are not settings")[2]
STORES = {
    "POSTGRES_URL": "postgresql://soma@db:5432/somamemory",
    "QDRANT_URL": "http://index:6333",
    "KAFKA_BOOTSTRAP_SERVERS": "log:9092",
    "SOMA_API_TOKEN": "t",
}


def variables() -> list[str]:
    """Every name the settings understand."""
    names: list[str] = list(SECRETS) + [f"{name}_FILE" for name in SECRETS]
    for field in Settings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        names += [str(choice) for choice in field.validation_alias.choices]
    return names


def test_nothing_but_the_stores_and_a_token_must_be_set() -> None:
    """(S-65) (S-72)"""
    settings = load_settings(STORES, for_command="serve")

    assert (settings.namespace, settings.vector_dim, settings.uvicorn_port) == ("api_ns", 768, 9595)
    assert (settings.rate_limit_max, settings.rate_limit_window_seconds) == (60, 60)
    assert settings.redis_address is None


def test_every_error_is_reported_at_once_with_its_remedy() -> None:
    """(config defect 7)"""
    broken = {
        "SOMA_VECTOR_DIM": "many",
        "LOG_LEVEL": "loud",
        "EVENTING_ENABLED": "maybe",
        "SOMA_MEMORY_NAMESPACE": "a b",
        "UVICORN_PORT": "99999",
        "REDIS_PASSWORD_FILE": "/nowhere",
    }

    with pytest.raises(ConfigurationError) as raised:
        load_settings(broken, for_command="serve")

    message = str(raised.value)
    assert all(name in message for name in broken)
    assert all(f"{name}: " in message for name in STORES)
    assert "correct or unset the variable" in message


def test_what_a_command_needs_is_said_with_an_example() -> None:
    """Nothing is guessed: no address and no password is built in. (config defect 4)"""
    with pytest.raises(ConfigurationError) as raised:
        load_settings({}, for_command="serve")

    for name in ("SOMA_API_TOKEN", "POSTGRES_URL", "QDRANT_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        assert f"{name}:" in str(raised.value)
    load_settings({"POSTGRES_URL": "postgresql://x"}, for_command="migrate")
    load_settings({"SOMA_API_TOKEN": "t"}, for_command="serve --embedded")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_URL", "somewhere"),
        ("POSTGRES_URL", "postgresql://[::1"),
        ("POSTGRES_URL", "mysql://u:hunter2@h/x"),
        ("REDIS_URL", "redis://:hunter2@h:port/0"),
        ("QDRANT_URL", "h:6333"),
        ("QDRANT_URL", "http://"),
    ],
)
def test_an_address_that_nobody_could_read_is_refused_once(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**STORES, name: value}, for_command="serve")

    assert str(raised.value).count(f"{name}:") == 1
    assert "this is no address such as" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_an_address_may_name_several_servers() -> None:
    assert load_settings({"POSTGRES_URL": "postgresql://soma@a:5432,b:5433/x"}).postgres_url is not None


def test_without_events_no_broker_is_needed() -> None:
    """(S-61)"""
    environment = {**STORES, "KAFKA_BOOTSTRAP_SERVERS": "", "EVENTING_ENABLED": "no"}

    assert load_settings(environment, for_command="serve").eventing_enabled is False


def test_an_error_never_repeats_a_secret() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**STORES, "QDRANT_PORT": "hunter", "POSTGRES_PASSWORD": "hunter2"}, for_command="serve")

    assert "hunter2" not in str(raised.value)


def test_a_secret_in_a_file_wins_and_never_shows(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-the-file\n")
    environment = {**STORES, "POSTGRES_PASSWORD": "x", "POSTGRES_PASSWORD_FILE": str(tmp_path / "password")}

    settings = load_settings(environment)

    assert postgres_conninfo(settings)["password"].candidates() == ("from-the-file",)
    assert "from-the-file" not in repr(settings)


BOOLEANS = sorted(name for name, field in Settings.model_fields.items() if field.annotation is bool)


@pytest.mark.parametrize("field", BOOLEANS)
def test_every_reader_understands_the_same_words_for_yes_and_no(field: str) -> None:
    """(config defect 6)"""
    name = variables_of(field)[0]
    for yes, no in (("1", "0"), ("true", "false"), ("Yes", "NO"), ("on", "off")):
        assert getattr(load_settings({name: yes}), field) is True
        assert getattr(load_settings({name: no}), field) is False
    for word in ("maybe", "2", "t", "enabled"):
        with pytest.raises(ConfigurationError, match=f"{name}: .*yes"):
            load_settings({name: word})


def test_there_are_booleans_to_be_read() -> None:
    assert {"eventing_enabled", "hybrid_recall_default", "qdrant_tls", "redis_tls"} <= set(BOOLEANS)


def test_parts_of_an_address_override_the_address() -> None:
    environment = {"REDIS_URL": "redis://user@a:1/2", "REDIS_HOST": "b", "REDIS_PORT": "6380", "REDIS_DB": "4"}

    assert load_settings(environment).redis_address == "redis://user@b:6380/4"
    assert load_settings({"QDRANT_HOST": "q"}).qdrant_address == "http://q:6333"
    assert load_settings({"QDRANT_URL": "http://q:1", "QDRANT_TLS": "true"}).qdrant_address == "https://q:1"


def test_an_old_dialect_suffix_is_dropped_and_logs_carry_no_credentials() -> None:
    settings = load_settings({"POSTGRES_URL": "postgresql+psycopg2://u:secret@db/x"})

    assert postgres_conninfo(settings)["conninfo"] == "postgresql://u:secret@db/x"
    assert redacted(settings.postgres_url) == "postgresql+psycopg2://db/x"


@pytest.mark.parametrize("name", variables())
def test_every_variable_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENT.read_text()


@pytest.mark.parametrize("name", EARLIER.split())
def test_every_variable_of_earlier_releases_is_honoured_or_explained(name: str) -> None:
    """(config defect 5) (config defect 8)"""
    assert f"`{name}`" in DOCUMENT.read_text()
    assert name in canonical() or name in VARIABLES or f"`{name}`" in NOT_OURS


def test_every_retired_variable_is_documented_with_its_reason() -> None:
    rows = DOCUMENT.read_text().partition("## Variables of earlier releases")[2].lower().splitlines()

    for name, reason in VARIABLES.items():
        assert any(f"`{name.lower()}`" in row and reason.lower() in row for row in rows)
        assert name not in canonical()


def test_documented_defaults_and_meanings_are_the_real_ones() -> None:
    lines = DOCUMENT.read_text().splitlines()
    for field in Settings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        name = str(field.validation_alias.choices[0])
        (row,) = [line for line in lines if line.startswith(f"| `{name}`")]
        assert str(field.description) in row
        assert field.default in {None, ()} or f"`{str(field.default).lower()}`" in row.lower()
