"""The environment that the manifests render is one that the API server understands, whole."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import AliasChoices

from somafractalmemory.settings import SECRETS, Settings, load_settings
from somamemory_operator.decide.credentials import KEYS, Credentials
from somamemory_operator.manifests.clients import api, consumer, program
from somamemory_operator.manifests.parts import policies
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.manifests.parts.pods import CREDENTIALS_FOLDER
from somamemory_operator.model.observed import World
from tests.unit.operator.fakes import SETTINGS, made, memory

SPEC = {
    "memory": {
        "namespace": "agents",
        "vectorDim": 384,
        "maxMemories": 5000,
        "decay": [{"afterSeconds": 60, "keys": ["scratch", "a b"]}, {"afterSeconds": 600, "keys": ["notes"]}],
    },
    "api": {"rateLimit": {"max": 5000, "windowSeconds": 10}, "grpc": {"port": 80}},
    "consumer": {"group": "readers"},
}
CONTEXT_REST = (SETTINGS, World(), Credentials({key: made(key) for key in KEYS}))
CONTEXT = Context(memory(SPEC), *CONTEXT_REST)


def as_in_the_pod(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """With the credentials of the Secret mounted in another folder."""
    for key in KEYS:
        (folder / key).write_text(made(key))
    return {name: value.replace(CREDENTIALS_FOLDER, str(folder)) for name, value in environment.items()}


def test_the_api_gets_what_the_spec_says(tmp_path: Path) -> None:
    settings = load_settings(as_in_the_pod(api.environment(CONTEXT), tmp_path), for_command="serve")

    assert (settings.namespace, settings.vector_dim) == ("agents", 384)
    assert settings.max_memory_size == 5000
    assert settings.decay_thresholds_seconds == (60.0, 600.0)
    assert settings.decayable_keys_by_level == (("scratch", "a b"), ("notes",))
    assert (settings.rate_limit_max, settings.rate_limit_window_seconds) == (5000, 10)
    assert (settings.grpc_enabled, settings.grpc_port) == (True, 50053)  # spec.api.grpc.port is the Service's
    assert settings.postgres_url == "postgresql://soma@demo-postgres:5432/somamemory"
    assert settings.redis_address == "redis://demo-redis:6379/0"
    assert settings.qdrant_address == "http://demo-qdrant:6333"
    assert settings.kafka_bootstrap_servers == "demo-kafka:9092"
    assert settings.api_token_file == tmp_path / "SOMA_API_TOKEN"
    secrets = (settings.postgres_password, settings.redis_password, settings.qdrant_api_key)
    assert [secret and secret.get_secret_value() for secret in secrets] == [
        made(key) for key in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")
    ]


def test_by_default_nothing_fades_and_nothing_is_deleted() -> None:
    environment = api.environment(Context(memory({}), *CONTEXT_REST))

    assert not [name for name in environment if "DECAY" in name or "MAX_MEMORY" in name]


def test_the_consumer_gets_what_the_spec_says(tmp_path: Path) -> None:
    settings = load_settings(as_in_the_pod(consumer.environment(CONTEXT), tmp_path), for_command="consume")

    assert (settings.kafka_group, settings.consumer_metrics_port) == ("readers", 8001)


def test_the_migration_gets_what_it_needs(tmp_path: Path) -> None:
    assert load_settings(as_in_the_pod(program.environment(CONTEXT), tmp_path), for_command="migrate").postgres_url


def test_no_variable_is_rendered_that_nobody_reads() -> None:
    known = {f"{secret}_FILE" for secret in SECRETS}
    for field in Settings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        known |= {str(choice) for choice in field.validation_alias.choices}

    assert set(api.environment(CONTEXT)) | set(consumer.environment(CONTEXT)) <= known


def test_without_grpc_no_port_of_it_is_open_anywhere() -> None:
    """(gRPC defect 12)"""
    closed = Context(memory({"api": {"grpc": {"enabled": False}}, "networkPolicy": {"enabled": True}}), *CONTEXT_REST)
    objects = {obj["kind"]: obj["spec"] for obj in api.build(closed) if "spec" in obj}
    (policy,) = [obj["spec"] for obj in policies.network(closed) if obj["metadata"]["name"] == "demo-api"]
    (container,) = objects["Deployment"]["template"]["spec"]["containers"]

    assert [port["name"] for port in objects["Service"]["ports"]] == ["http"]
    assert [port["name"] for port in container["ports"]] == ["http"]
    assert [port["port"] for port in policy["ingress"][0]["ports"]] == [9595]
    assert api.environment(closed)["SOMA_GRPC_ENABLED"] == "false"


def test_with_grpc_its_port_is_open_everywhere() -> None:
    """(gRPC defect 12)"""
    opened = Context(memory({**SPEC, "networkPolicy": {"enabled": True}}), *CONTEXT_REST)
    objects = {obj["kind"]: obj["spec"] for obj in api.build(opened) if "spec" in obj}
    (policy,) = [obj["spec"] for obj in policies.network(opened) if obj["metadata"]["name"] == "demo-api"]
    (container,) = objects["Deployment"]["template"]["spec"]["containers"]

    assert {"name": "grpc", "port": 80, "targetPort": "grpc", "protocol": "TCP"} in objects["Service"]["ports"]
    assert {"name": "grpc", "containerPort": 50053, "protocol": "TCP"} in container["ports"]
    assert {"port": 50053, "protocol": "TCP"} in policy["ingress"][0]["ports"]


def test_the_image_exposes_the_ports_of_its_programs() -> None:
    """(S-91)"""
    dockerfile = (Path(__file__).parents[4] / "api_server" / "Dockerfile").read_text()
    (line,) = [line for line in dockerfile.splitlines() if line.startswith("EXPOSE")]

    assert {"9595", "50053", "8001"} <= set(line.split())
