"""The few questions prov asks of a cluster's Kubernetes API: which nodes there are, and to forget one."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from provisioner.sdk import OperatorNeeded, Retry
from provisioner.talos.api.access import KubernetesNode
from provisioner.talos.config.endpoint import url

TIMEOUT_S = 5.0
_PAGE = 500
"""Nodes per answer; a list of thousands comes in pages."""


def connect(endpoint: str, context: ssl.SSLContext) -> httpx.Client:
    """An HTTP client for the API at `endpoint`, a host or URL; `context` has the administrator's certificate."""
    # The environment's proxies are not for the cluster's own, private addresses.
    return httpx.Client(base_url=str(url(endpoint)), verify=context, timeout=TIMEOUT_S, trust_env=False)


class Kubernetes:
    """One cluster's API. `client` opens a connection to it; each question has its own."""

    def __init__(self, client: Callable[[], httpx.Client]) -> None:
        self._client = client

    def nodes(self) -> dict[str, KubernetesNode]:
        """All Node objects by name; raises Retry while the API does not answer."""
        found: dict[str, KubernetesNode] = {}
        query = {"limit": str(_PAGE)}
        with self._client() as client:
            while True:
                answer = _checked(client, "GET", "/api/v1/nodes", query).json()
                for item in answer.get("items", ()):
                    node = _node(item)
                    found[node.name] = node
                following = answer.get("metadata", {}).get("continue")
                if not following:
                    return found
                query["continue"] = following

    def delete_node(self, name: str) -> None:
        """Removes a Node object; quiet when there is none."""
        with self._client() as client:
            _checked(client, "DELETE", f"/api/v1/nodes/{quote(name)}", {}, also_fine=404)


def _checked(
    client: httpx.Client, method: str, path: str, query: Mapping[str, str], *, also_fine: int = 200
) -> httpx.Response:
    try:
        answer = client.request(method, path, params=dict(query))
    except httpx.HTTPError as err:
        raise Retry(
            "the Kubernetes API does not answer",
            detail=f"{client.base_url}: {str(err) or type(err).__name__}",
            remedy="check that the endpoint can be reached from here and leads to the control planes",
        ) from err
    if answer.is_success or answer.status_code == also_fine:
        return answer
    detail = f"{client.base_url}: {method} {path} was answered with {answer.status_code}"
    if answer.status_code in (401, 403):
        raise OperatorNeeded(
            "the Kubernetes API refuses our certificate",
            detail=detail,
            remedy="check that the endpoint belongs to this cluster and not to another one",
        )
    raise Retry("the Kubernetes API cannot answer yet", detail=detail)


def _node(item: Mapping[str, Any]) -> KubernetesNode:
    status = item.get("status", {})
    conditions = {entry.get("type"): entry.get("status") for entry in status.get("conditions", ())}
    return KubernetesNode(
        name=item["metadata"]["name"],
        ready=conditions.get("Ready") == "True",
        version=status.get("nodeInfo", {}).get("kubeletVersion", ""),
    )
