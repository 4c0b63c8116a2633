"""What the deployment wants to happen to memories."""

from somafractalmemory.model.decay import Decay, Level
from somafractalmemory.model.ranking import Weights
from somafractalmemory.security.sealing import Seal, read_keys
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.rules import Rules


def topics_of(settings: Settings) -> tuple[str, ...]:
    """Where events of memories go."""
    return (settings.kafka_topic, settings.kafka_dlq_topic) if settings.eventing_enabled else ()


def rules_of(settings: Settings) -> Rules:
    """What happens to memories as time goes by. Raises ConfigurationError for a key file that cannot be used."""
    pairs = zip(settings.decay_thresholds_seconds, settings.decayable_keys_by_level, strict=False)
    levels = tuple(Level(after, frozenset(keys)) for after, keys in pairs if settings.decay_enabled)
    file = settings.encryption_key_file
    return Rules(
        decay=Decay(levels),
        seal=Seal(read_keys(file), settings.secret_fields) if file else None,
        max_memories=settings.max_memory_size,
        audit=settings.audit,
        audit_days=settings.audit_days,
    )


def weights_of(settings: Settings) -> Weights:
    """What each list counts in a recall."""
    return Weights(dense=settings.dense_weight, sparse=settings.sparse_weight)
