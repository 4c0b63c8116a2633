"""Settings: every error at once, secrets from files, and documentation that cannot lag behind."""

from pathlib import Path

import pytest
from pydantic import AliasChoices

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import SECRETS, Settings, load_settings, postgres_conninfo, redacted

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
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
    settings = load_settings(STORES, for_command="serve")

    assert (settings.namespace, settings.vector_dim, settings.uvicorn_port) == ("api_ns", 768, 9595)
    assert (settings.rate_limit_max, settings.rate_limit_window_seconds) == (60, 60)
    assert settings.redis_address is None


def test_every_error_is_reported_at_once_with_its_remedy() -> None:
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

    assert postgres_conninfo(settings)["password"] == "from-the-file"
    assert "from-the-file" not in repr(settings)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("Yes", True), ("on", True), ("off", False)])
def test_every_reader_understands_the_same_words_for_yes_and_no(text: str, value: bool) -> None:
    assert load_settings({"EVENTING_ENABLED": text}).eventing_enabled is value


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


def test_documented_defaults_and_meanings_are_the_real_ones() -> None:
    lines = DOCUMENT.read_text().splitlines()
    for field in Settings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        name = str(field.validation_alias.choices[0])
        (row,) = [line for line in lines if line.startswith(f"| `{name}`")]
        assert str(field.description) in row
        assert field.default in {None, ()} or f"`{str(field.default).lower()}`" in row.lower()
