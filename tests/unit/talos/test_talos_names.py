"""Where a node is reached under an address it does not know of itself, its certificates are good for that, too."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sdk import Address, EndpointWish, Machine, Node, Ref, TalosWish, Topology, dig
from provisioner.talos.config.assemble import documents
from provisioner.talos.design import Boot, design

ADDRESS = Ref(Address("acme.address", "control-1"), "host")
OUTSIDE = Ref(Address("acme.address", "api"), "host")
HOST = Ref(Address("acme.machine", "control-1"), "host")


def node(role: Any) -> Node:
    return Node("control-1", role, "control", "acme")


def made(role: Any, minor: str) -> tuple[Any, ...]:
    one = node(role)
    topology = Topology("demo", (one,), EndpointWish(), TalosWish(f"v{minor}.0", minor, "v1.33.0"))
    return documents(
        one, topology, endpoint="10.0.0.2", install_disk=None, secrets=lambda path: path, names=(ADDRESS,)
    )


@pytest.mark.parametrize("minor", ["1.11", "1.12", "1.13", "1.14"])
def test_both_apis_of_a_control_plane_have_certificates_for_it(minor: str) -> None:
    found = made("controlplane", minor)
    own = next((each for each in found if each.get("kind") == "KubeAPIServerConfig"), None)
    kubernetes = own["certExtraSANs"] if own is not None else dig(found[0], "cluster.apiServer.certSANs")

    assert ADDRESS in dig(found[0], "machine.certSANs")
    assert ADDRESS in kubernetes


def test_a_worker_has_no_kubernetes_api_to_be_reached() -> None:
    found = made("worker", "1.13")

    assert ADDRESS in dig(found[0], "machine.certSANs")
    assert "apiServer" not in found[0]["cluster"]


def test_user_data_and_delivered_configuration_name_the_same() -> None:
    """The machine's own names come first, then where the endpoint is reached from outside."""
    one = node("controlplane")
    topology = Topology("demo", (one,), EndpointWish(), TalosWish("v1.13.9", "1.13", "v1.36.3"))
    machine = Machine(Address("acme.machine", "control-1"), HOST, HOST, "user_data", names=(ADDRESS,))
    resources, _ = design(topology, {"control-1": machine}, "10.0.0.2", "talos", OUTSIDE)
    delivered = next(each for each in resources if each.address.kind == "talos.config").props["documents"]
    born: Any = Boot(topology, "10.0.0.2", OUTSIDE).config(one, machine)

    assert dig(delivered[0], "machine.certSANs")[-2:] == (ADDRESS, OUTSIDE)
    assert born.args[0] == delivered
