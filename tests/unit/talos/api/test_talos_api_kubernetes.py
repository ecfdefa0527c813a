"""What the Kubernetes API is asked, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from provisioner.sdk import OperatorNeeded, Retry
from provisioner.talos.api.access import KubernetesNode
from provisioner.talos.api.kubernetes import Kubernetes

Handler = Callable[[httpx.Request], httpx.Response]


def api(handler: Handler) -> Kubernetes:
    transport = httpx.MockTransport(handler)
    return Kubernetes(lambda: httpx.Client(transport=transport, base_url="https://api:6443"))


def item(name: str, ready: str) -> dict[str, object]:
    status = {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": "v1.36.3"}}
    return {"metadata": {"name": name}, "status": status}


def test_nodes_come_in_pages():
    pages = {"": ("a", "next"), "next": ("b", "")}

    def answer(request: httpx.Request) -> httpx.Response:
        name, following = pages[request.url.params.get("continue", "")]
        return httpx.Response(200, json={"metadata": {"continue": following}, "items": [item(name, "True")]})

    assert api(answer).nodes() == {name: KubernetesNode(name, True, "v1.36.3") for name in ("a", "b")}


@pytest.mark.parametrize("state", ["False", "Unknown"])
def test_a_node_is_ready_only_if_it_says_so(state: str):
    found = api(lambda request: httpx.Response(200, json={"items": [item("a", state)]})).nodes()
    assert found["a"].ready is False


def test_a_node_that_is_gone_is_removed_quietly():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(404)

    api(answer).delete_node("worker-1")
    assert asked == [("DELETE", "/api/v1/nodes/worker-1")]


def test_no_connection_passes_by_itself():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(Retry, match="does not answer") as caught:
        api(refuse).nodes()
    assert caught.value.detail == "https://api:6443: connection refused"


@pytest.mark.parametrize(
    ("status", "expected"), [(500, Retry), (503, Retry), (401, OperatorNeeded), (403, OperatorNeeded)]
)
def test_refusals(status: int, expected: type[Exception]):
    with pytest.raises(expected):
        api(lambda request: httpx.Response(status)).nodes()
