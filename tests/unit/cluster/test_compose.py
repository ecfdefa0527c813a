"""A file's graph, put together from what its providers design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prov_sim.sim import SimProvider

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import topology_of
from provisioner.errors import ProvError
from provisioner.plugins.registry import Registry
from provisioner.spec.load import load
from provisioner.talos.provider import provider as talos

FILE = """
version: 1
name: demo
talos: {version: v1.13.9}
kubernetes: {version: v1.36.3}
providers: {sim: {}}
pools:
  control: {role: controlplane, provider: sim, count: 1}
"""


class Refusing(SimProvider):
    """The simulator, which takes no settings at all."""

    def design(self, part: Any, boot: Any) -> Any:
        raise ProvError("a setting is wrong", detail="all of them")


def test_what_a_provider_finds_wrong_is_shown_at_its_block(tmp_path: Path) -> None:
    """It knows its settings, and not where they stand."""
    file = tmp_path / "cluster.yaml"
    file.write_text(FILE)
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    registry = Registry({}, {"talos": talos, "sim": Refusing()})  # type: ignore[dict-item]
    with pytest.raises(ProvError) as caught:
        compose(spec, topology, bindings, registry)

    assert (Path(caught.value.place.file or "").name, caught.value.place.line) == ("cluster.yaml", 6)
