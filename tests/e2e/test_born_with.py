"""What a cluster is born with: secrets of somebody else's making, and an image of its own."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from attrs import evolve
from fakes.image_factory import image_factory
from fakes.lab import NO_WAIT, Lab, cluster

from provisioner.model.value import reveal
from provisioner.talos.config.encode import encode
from provisioner.talos.images.schematic import Schematic
from provisioner.talos.pki import keys
from provisioner.talos.pki.authority import authority
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.versions import Contract

pytestmark = pytest.mark.slow

WISH = Schematic(extensions=("siderolabs/gvisor",))


def test_a_cluster_of_imported_secrets_and_a_customised_image(lab: Lab) -> None:
    """The factory learns the schematic before any machine has its configuration, and all is healthy.

    The authority of Talos has an ECDSA key, which prov itself would not make.
    """
    now, chance = datetime.now(UTC), random.Random(7).randbytes
    ecdsa = authority("talos", keys.ecdsa_p256(), now=now, random=chance)
    bundle = evolve(generate(Contract(1, 13), now=now, random=chance), os=ecdsa)
    (lab.folder / "secrets.yaml").write_text(encode([reveal(to_tree(bundle))]))
    with image_factory() as factory:
        talos = {"version": "v1.13.9", "extensions": ["siderolabs/gvisor"], "factory": factory.url}
        lab.write(cluster(1, 1, talos=talos, providers={"sim": {**NO_WAIT, "delivery": "api"}}))
        lab.prov("secrets", "import", "secrets.yaml")
        first = lab.changes()
        lab.prov("apply", "--yes")
        asked = len(factory.server.requests)

        lab.assert_settled(1, 1)
        assert lab.json("plan")["empty"]

    assert ("create", "talos.schematic/cluster") in first
    assert "talos.secrets/cluster" not in dict(map(reversed, first))  # type: ignore[call-overload]
    assert (factory.asked("POST"), len(factory.server.requests)) == (["/schematics"], asked)
    assert WISH.id in factory.schematics
    assert lab.prov("secrets", "export", "--show").stdout == (lab.folder / "secrets.yaml").read_text()
    lab.prov("destroy", "--yes")
    assert lab.sim()["machines"] == []


def test_an_extension_that_does_not_exist_ends_the_run_before_machines_are_configured(lab: Lab) -> None:
    with image_factory() as factory:
        talos = {"version": "v1.13.9", "extensions": ["siderolabs/gvisr"], "factory": factory.url}
        lab.write(cluster(1, 0, talos=talos, providers={"sim": {**NO_WAIT, "delivery": "api"}}))
        done = lab.prov("apply", "--yes", code=3)

    assert "did you mean 'siderolabs/gvisor'?" in done.stderr + done.stdout
    assert {machine["stage"] for machine in lab.machines().values()} == {"maintenance"}
