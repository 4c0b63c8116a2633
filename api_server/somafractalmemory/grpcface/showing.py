"""From the service's answers to messages."""

from collections.abc import Sequence

import orjson

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.model import Coordinate, Memory, Recalled, Remembered


def place(coordinate: Coordinate) -> pb.Coordinate:
    """A place."""
    return pb.Coordinate(values=coordinate)


def memory(found: Memory) -> pb.Memory:
    """A memory with everything that is known of it."""
    return pb.Memory(
        coord=place(found.coordinate),
        payload_json=orjson.dumps(found.payload).decode(),
        memory_type=found.memory_type.value,
        version=found.version,
        importance=found.importance,
        importance_norm=found.importance_norm,
        timestamp=found.timestamp,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def stored(remembered: Remembered) -> pb.StoreResponse:
    """A committed write."""
    saved = remembered.saved
    return pb.StoreResponse(ok=True, id=str(saved.id), version=saved.version, indexed=remembered.indexed)


def recalled(answer: Recalled, *, explain: bool) -> pb.RecallResult:
    """Memories that fit a text."""
    explanations = [pb.Explanation(parts=dict(match.parts)) for match in answer.matches] if explain else []
    return pb.RecallResult(
        memories=[memory(match.memory) for match in answer.matches],
        scores=[match.score for match in answer.matches],
        explanations=explanations,
        degraded=answer.degraded,
    )


def nearest(found: Sequence[tuple[Memory, float]]) -> pb.RecallResult:
    """Memories around a place, with their distances."""
    return pb.RecallResult(
        memories=[memory(near) for near, _ in found],
        scores=[1.0 / (1.0 + distance) for _, distance in found],
        distances=[distance for _, distance in found],
    )
