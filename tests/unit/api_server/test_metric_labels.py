"""Callers cannot invent series without end."""

import httpx

from somafractalmemory import telemetry


async def test_namespaces_of_requests_add_a_bounded_number_of_series(client: httpx.AsyncClient) -> None:
    for number in range(130):
        answer = await client.post(
            "/store",
            headers={"X-Soma-Namespace": f"tenant-{number}"},
            json={"coord": "1", "payload": {"fact": "x"}},
        )
        assert answer.status_code == 200

    samples = [sample for metric in telemetry.STORED.collect() for sample in metric.samples]
    labels = {sample.labels["namespace"] for sample in samples}
    assert len(labels) <= 101
    assert "other" in labels


async def test_paths_and_methods_of_requests_add_no_series(client: httpx.AsyncClient) -> None:
    for number in range(30):
        await client.get(f"/memories/{number},7")
        await client.get(f"/nowhere/{number}")
        await client.request(f"ODD{number}", "/stats")

    samples = [sample for metric in telemetry.REQUESTS.collect() for sample in metric.samples]
    assert not [sample for sample in samples if ",7" in sample.labels["endpoint"]]
    assert not [sample for sample in samples if sample.labels["endpoint"].startswith("/nowhere")]
    assert not [sample for sample in samples if sample.labels["method"].startswith("ODD")]
