"""How often the memory that answers a question is among the first five, or ten: each list alone, and both together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.qdrant import open_vectors
from somafractalmemory.indexing.points import point_of
from somafractalmemory.model import Embedding, Hit, MemoryType, new_memory
from somafractalmemory.model.ranking import Weights, fuse
from somafractalmemory.ports import Search, Vectors
from somafractalmemory.usecases.recalling import with_spare
from tests.bench.conversations import Conversation, conversation
from tests.bench.deployment import Deployment

NAMESPACE = "conversations"
CUTS = (5, 10)
Shares = dict[str, dict[str, float]]


async def measure_retrieval(deployment: Deployment, _: int) -> dict[str, Any]:
    """On the index of the deployment; the same in every run."""
    talk, embedder = conversation(), HashEmbedder(768)
    environment = deployment.environment
    async with open_vectors(
        url=environment["QDRANT_URL"],
        api_key=environment["QDRANT_API_KEY"],
        verify=True,
        collection="retrieval",
        dimensions=768,
    ) as vectors:
        await vectors.is_complete()
        await vectors.mark_complete()  # nobody else fills it
        shares = await shares_found(talk, vectors, embedder, Weights())
        others = {
            f"dense {dense:g}": (await shares_found(talk, vectors, embedder, Weights(dense, 1 - dense), fill=False))[
                "hybrid"
            ]["all"]
            for dense in (0.25, 0.5, 0.9)
        }
    return {"memories": len(talk.said), "questions": len(talk.questions), "found": shares, "other_weights": others}


async def shares_found(
    talk: Conversation, vectors: Vectors, embedder: HashEmbedder, weights: Weights, *, fill: bool = True
) -> dict[str, Shares]:
    """By ranking and kind of question, the shares of questions whose answer is among the first of each cut.

    Args:
        talk: what was said and asked.
        vectors: an index without other memories of this namespace.
        embedder: of memories and questions.
        weights: of the hybrid ranking.
        fill: whether the index is still to be filled.
    """
    if fill:
        await _fill(talk, vectors, embedder)
    ids = [_memory(number, *said).id for number, said in enumerate(talk.said)]
    found: dict[str, dict[str, list[Mapping[int, bool]]]] = defaultdict(lambda: defaultdict(list))
    for asked in talk.questions:
        embedding = await embedder.query(asked.text)
        ranked = {cut: await _rankings(vectors, embedding, weights, cut) for cut in CUTS}
        for name in ("dense", "bm25", "hybrid"):
            hit = {cut: ids[asked.answer] in [each.id for each in ranked[cut][name]] for cut in CUTS}
            found[name][asked.kind].append(hit)
            found[name]["all"].append(hit)
    return {
        name: {kind: {f"recall@{cut}": _share(cut, hits) for cut in CUTS} for kind, hits in sorted(kinds.items())}
        for name, kinds in found.items()
    }


async def _rankings(vectors: Vectors, embedding: Embedding, weights: Weights, cut: int) -> dict[str, Sequence[Hit]]:
    """The first hits by each list alone and by both, out of as many as a recall asks for."""
    search = Search(NAMESPACE, None, {}, with_spare(cut))
    hits = await vectors.query(embedding, search, hybrid=True)
    fused = fuse(hits, weights, hybrid=True, limit=search.limit)
    fused.sort(key=lambda pair: -sum(pair[1].values()))
    by_dense = sorted((hit for hit in hits if hit.dense > 0), key=lambda hit: -hit.dense)
    by_sparse = sorted((hit for hit in hits if hit.sparse > 0), key=lambda hit: -hit.sparse)
    return {"dense": by_dense[:cut], "bm25": by_sparse[:cut], "hybrid": [hit for hit, _ in fused[:cut]]}


async def _fill(talk: Conversation, vectors: Vectors, embedder: HashEmbedder) -> None:
    memories = [_memory(number, *said) for number, said in enumerate(talk.said)]
    for at in range(0, len(memories), 100):
        batch = memories[at : at + 100]
        embeddings = await embedder.documents([memory.text for memory in batch])
        await vectors.upsert([point_of(memory, 1, vector) for memory, vector in zip(batch, embeddings, strict=True)])


def _memory(number: int, speaker: str, text: str) -> Any:
    return new_memory(
        namespace=NAMESPACE,
        coordinate=(float(number),),
        payload={"speaker": speaker, "text": text},
        memory_type=MemoryType.EPISODIC,
        now=0.0,
    )


def _share(cut: int, hits: Sequence[Mapping[int, bool]]) -> float:
    return round(sum(hit[cut] for hit in hits) / len(hits), 4)
