"""What a daemon holds, by the marks that its owners put on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prov_sim.control import Control
from prov_sim.errors import as_provider_errors
from provisioner.sdk import Owned

_KINDS: Final = {"machines": "sim.machine", "balancers": "sim.balancer"}
"""In the order in which they can go."""


def list_owned(client: Control) -> Sequence[Owned]:
    """Everything with a lineage, whoever it belongs to, with one call."""
    with as_provider_errors():
        listed = client.ask_if_running("list")
    return [
        Owned(
            kind=kind,
            id=item["id"],
            key=item["key"],
            lineage=item["lineage"],
            address=f"{kind}/{item['name']}",
            cluster=item["group"],
        )
        for what, kind in _KINDS.items()
        for item in listed.get(what, [])
        if item["lineage"]
    ]
