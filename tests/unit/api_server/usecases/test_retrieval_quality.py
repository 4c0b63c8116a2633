"""Both lists together find at least as much as the better one alone. (not timed; the whole corpus is in tests/bench)"""

import pytest

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalVectors
from somafractalmemory.model.ranking import Weights
from somafractalmemory.settings import Settings
from tests.bench.conversations import TOPICS, conversation
from tests.bench.retrieval import shares_found


def test_the_default_settings_are_the_measured_weights() -> None:
    settings = Settings()

    assert Weights(settings.dense_weight, settings.sparse_weight) == Weights()


def test_conversations_are_the_same_in_every_run_and_large_enough() -> None:
    talk = conversation()

    assert talk == conversation()
    assert len(talk.said) >= 2000
    assert len({asked.kind for asked in talk.questions}) == 5
    assert len(conversation(people=3, questions=5).said) >= 3 * len(TOPICS)


@pytest.mark.parametrize("seed", [11, 12])
async def test_hybrid_recall_is_never_worse_than_either_list_alone(seed: int) -> None:
    """Similarity means something, and words add to it within bounds. (core defect 10) (core defect 11)"""
    talk = conversation(people=30, questions=60, seed=seed)

    shares = await shares_found(talk, LocalVectors(), HashEmbedder(768), Weights())

    for cut in ("recall@5", "recall@10"):
        best = max(shares["dense"]["all"][cut], shares["bm25"]["all"][cut])
        assert shares["hybrid"]["all"][cut] >= best
        assert shares["hybrid"]["all"][cut] > 0.7
