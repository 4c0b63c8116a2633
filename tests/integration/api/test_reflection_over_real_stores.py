"""Remembering without a question, and learning from what was, in Postgres under row-level security."""

from uuid import uuid4

from tests.integration.api.programs import Stack


def test_what_is_learned_lies_beside_its_source(stack: Stack) -> None:
    """(core defect 17)"""
    where = {"x-soma-namespace": f"learn-{uuid4().hex[:8]}"}

    def ask(method: str, path: str, **more: object) -> dict[str, object]:
        answer = stack.http.request(method, path, headers=where, json=more if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    for n in range(5):
        ask("POST", "/store", coord=f"{n}", payload={"task": f"task {n}", "predicted_outcome": "good", "importance": n})
    wrong = ask("POST", "/outcome", coord="3", outcome="bad")
    first, again = ask("POST", "/consolidate"), ask("POST", "/consolidate")

    assert wrong["error"] is True
    assert (first["stored"], first["complete"]) == (5, True)
    assert (again["stored"], again["unchanged"]) == (0, 5)
    assert ask("GET", "/memories/3")["payload"] == {
        "task": "task 3",
        "predicted_outcome": "good",
        "importance": 3,
        "reported_outcome": "bad",
        "error": True,
    }
    assert ask("GET", "/stats") == {"total_memories": 11, "episodic": 5, "semantic": 6}
    for path in ("/recent?n=50", "/important?n=50", "/replay?n=50", "/reflect?n=50"):
        memories = ask("GET", path)["memories"]
        assert isinstance(memories, list)
        assert len(memories) == 11
    assert stack.http.get("/replay", headers={"x-soma-namespace": f"{where['x-soma-namespace']}2"}).json() == {
        "memories": []
    }
