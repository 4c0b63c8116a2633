"""Where settings come from: explicit values, the environment, a file; who wins, and what is told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import load_settings, resolve
from somafractalmemory.settings.clients import qdrant_trust, redis_tls

ROOT = Path(__file__).parents[4]
SAMPLE = """
langfuse_public: pk
langfuse_secret: sk
langfuse_host: http://localhost:3000
redis: {testing: true}
qdrant: {path: ./qdrant.db}
eventing:
  bootstrap_servers: broker:9092
  schema_registry_url: http://localhost:8080
  topics: {memory_events: e, memory_audit: memory.audit, memory_dlq: d}
memory_enterprise:
  vector_dim: 384
  pruning_interval_seconds: 60
  decay_thresholds_seconds: [30, 300]
  decayable_keys_by_level: [[scratch, temp_notes], [low_importance]]
"""


def written(folder: Path, content: str | dict[str, Any], name: str = "config.yaml") -> dict[str, str]:
    """The environment that names a file of this content."""
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return {"SOMA_CONFIG_FILE": str(file)}


def test_explicit_values_beat_the_environment_which_beats_the_file_which_beats_the_default(tmp_path: Path) -> None:
    """(config defect 2)"""
    file = written(
        tmp_path, {"vector_dim": 64, "postgres": {"pool_size": 20}, "redis": {"host": "f"}, "log_level": "x"}
    )
    environment = {**file, "SOMA_VECTOR_DIM": "128", "POSTGRES_POOL_SIZE": "30", "LOG_LEVEL": "error"}

    resolved = resolve(environment, explicit={"vector_dim": 256})

    settings = resolved.settings
    assert (settings.vector_dim, settings.postgres_pool_size, settings.redis_host) == (256, 30, "f")
    assert (settings.log_level, settings.uvicorn_port) == ("ERROR", 9595)
    assert resolved.origins == {
        "SOMA_VECTOR_DIM": "vector_dim (explicit)",
        "POSTGRES_POOL_SIZE": "POSTGRES_POOL_SIZE",
        "REDIS_HOST": "redis.host in config.yaml",
        "LOG_LEVEL": "LOG_LEVEL",
    }


def test_another_name_of_a_variable_in_the_environment_still_beats_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, {"SOMA_MEMORY_NAMESPACE": "file"})

    assert load_settings({**file, "SOMA_NAMESPACE": "environment"}).namespace == "environment"


def test_of_two_names_in_one_place_the_one_to_use_wins_in_any_order() -> None:
    """No process has its own reading: there is one resolver. (config defect 1)"""
    one = {"SOMA_NAMESPACE": "old", "SOMA_MEMORY_NAMESPACE": "new"}

    assert load_settings(one).namespace == "new"
    assert load_settings(dict(reversed(one.items()))).namespace == "new"


def test_an_empty_variable_does_not_hide_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, {"namespace": "file"})

    assert load_settings({**file, "SOMA_MEMORY_NAMESPACE": ""}).namespace == "file"


def test_a_file_may_hold_sections_or_variables_in_yaml_or_json(tmp_path: Path) -> None:
    sections = "kafka: {bootstrap_servers: [a:1, 'b:2'], topic: t}\nuvicorn: {port: 80}\ncors_origins: [http://x]\n"
    named = {"KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2", "KAFKA_MEMORY_EVENTS_TOPIC": "t", "UVICORN_PORT": 80}

    one = load_settings(written(tmp_path, sections))
    other = load_settings(written(tmp_path, named | {"SOMA_CORS_ORIGINS": "http://x"}, "config.json"))

    assert one == other
    assert one.kafka_bootstrap_servers == "a:1,b:2"


def test_the_sample_file_of_earlier_releases_is_understood(tmp_path: Path) -> None:
    """(config defect 3)"""
    resolved = resolve(written(tmp_path, SAMPLE))

    settings = resolved.settings
    assert (settings.vector_dim, settings.kafka_bootstrap_servers) == (384, "broker:9092")
    assert (settings.kafka_topic, settings.kafka_dlq_topic) == ("e", "d")
    assert settings.qdrant_path == Path("qdrant.db")
    for key in ("langfuse_public", "redis.testing", "eventing.schema_registry_url"):
        assert any(warning.startswith(f"{key} in config.yaml does nothing") for warning in resolved.warnings)


def test_the_file_in_the_documentation_is_one_we_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    password = tmp_path / "password"
    password.write_text("p")

    resolved = resolve(written(tmp_path, example.replace("/run/credentials/POSTGRES_PASSWORD", str(password))))

    assert resolved.warnings == ()
    assert (resolved.settings.namespace, resolved.settings.qdrant_address) == ("agents", "https://index:6333")
    assert resolved.settings.postgres_password is not None


def test_a_wrong_file_is_told_with_everything_else(tmp_path: Path) -> None:
    file = written(tmp_path, {"postgres": {"pool_sise": 3}, "vector_dim": "many", "unheard": 1})

    with pytest.raises(ConfigurationError) as raised:
        load_settings({**file, "LOG_LEVEL": "loud"})

    message = str(raised.value)
    assert "postgres.pool_sise in config.yaml: no such setting, did you mean postgres.pool_size?" in message
    assert "vector_dim in config.yaml: " in message
    assert "unheard in config.yaml: " in message
    assert "LOG_LEVEL: " in message


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2\n", None])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    environment = written(tmp_path, content) if content else {"SOMA_CONFIG_FILE": str(tmp_path / "missing")}

    with pytest.raises(ConfigurationError, match="SOMA_CONFIG_FILE: "):
        load_settings(environment)


def test_a_secret_of_the_environment_beats_a_secret_file_of_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    file = written(tmp_path, {"redis": {"password_file": str(secret)}})

    def password(environment: dict[str, str]) -> str | None:
        found = load_settings(environment).redis_password
        return found.get_secret_value() if found else None

    assert password(file) == "from-file"
    assert password({**file, "REDIS_PASSWORD": "from-environment"}) == "from-environment"


def test_an_unknown_variable_is_told_with_the_one_that_was_meant() -> None:
    warnings = resolve({"SOMA_RATE_LIMITS_MAX": "5", "SOMA_12345678": "1", "OTHER": "1"}).warnings

    assert warnings == (
        "SOMA_RATE_LIMITS_MAX is no variable of ours, did you mean SOMA_RATE_LIMIT_MAX?",
        "SOMA_12345678 is no variable of ours",
    )


def test_a_retired_variable_is_told_with_the_reason_and_changes_nothing() -> None:
    """(events defect 15)"""
    resolved = resolve({"SOMA_RATE_MAX": "5000", "VECTOR_INDEX_ASYNC": "true", "SOMA_INFRA__REDIS": "r"})

    assert resolved.settings == load_settings({})
    assert len(resolved.warnings) == 3
    assert all("does nothing: " in warning for warning in resolved.warnings)


def test_what_kubernetes_injects_for_a_service_is_no_setting() -> None:
    injected = {
        "REDIS_PORT": "tcp://10.0.0.1:6379",
        "SOMA_API_PORT": "tcp://10.0.0.2:9595",
        "SOMA_API_SERVICE_HOST": "10.0.0.2",
        "SOMA_API_PORT_9595_TCP_ADDR": "10.0.0.2",
    }

    resolved = resolve(injected)

    assert resolved.settings == load_settings({})
    assert resolved.warnings == ()


def test_tls_files_become_what_each_client_wants(tmp_path: Path) -> None:
    """(config defect 9)"""
    tls = {"REDIS_TLS_CA": "/ca.pem", "REDIS_TLS_CERT": "/me.pem", "REDIS_TLS_KEY": "/me.key"}
    plain = load_settings({"REDIS_URL": "redis://r:1/0", **tls})
    switched = load_settings({"REDIS_URL": "redis://r:1/0", "REDIS_TLS": "on", **tls})

    assert redis_tls(plain) == {}
    assert switched.redis_address == "rediss://r:1/0"
    assert redis_tls(switched) == {"ssl_ca_certs": "/ca.pem", "ssl_certfile": "/me.pem", "ssl_keyfile": "/me.key"}
    assert qdrant_trust(load_settings({})) is True


def test_half_a_certificate_and_a_missing_file_are_found_before_the_start(tmp_path: Path) -> None:
    certificate = tmp_path / "me.pem"
    certificate.write_text("certificate")
    environment = {
        "POSTGRES_URL": "postgresql://db/x",
        "POSTGRES_SSL_ROOT_CERT": "system",
        "POSTGRES_SSL_CERT": str(certificate),
        "QDRANT_TLS_CERT": "/nowhere.pem",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    }

    with pytest.raises(ConfigurationError) as raised:
        load_settings(environment, for_command="consume")

    message = str(raised.value)
    assert "POSTGRES_SSL_KEY: required beside POSTGRES_SSL_CERT" in message
    assert "QDRANT_TLS_CERT: /nowhere.pem is no file" in message
    assert "KAFKA_SASL_USERNAME: required with KAFKA_SECURITY_PROTOCOL=SASL_SSL" in message
    assert "POSTGRES_SSL_ROOT_CERT" not in message


def test_the_command_shows_the_result_without_a_secret(tmp_path: Path) -> None:
    """(config defect 1)"""
    environment = {
        "PYTHONPATH": str(ROOT / "api_server"),
        "POSTGRES_URL": "postgresql://u:hunter2@db/x",
        "SOMA_API_TOKEN": "hunter2",
        "SOMA_NAMESPACE": "mine",
        "SOMA_TYPO": "1",
    }
    command = [sys.executable, "-m", "somafractalmemory", "config", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)

    shown = json.loads(done.stdout)
    assert shown["SOMA_MEMORY_NAMESPACE"] == {"value": "mine", "from": "SOMA_NAMESPACE"}
    assert shown["POSTGRES_URL"]["value"] == "postgresql://db/x"
    assert shown["SOMA_VECTOR_DIM"] == {"value": 768, "from": "default"}
    assert "SOMA_TYPO" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
