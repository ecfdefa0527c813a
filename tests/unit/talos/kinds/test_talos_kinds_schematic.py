"""The schematic as a resource: told to the factory before anything boots from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from fakes.image_factory import image_factory

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import topology_of
from provisioner.errors import InputError
from provisioner.graph.resources import ResourceGraph
from provisioner.model.topology import STOCK_SCHEMATIC
from provisioner.plugins.registry import Registry
from provisioner.sdk import Absent, Address, Done, Fatal, Job, Seen
from provisioner.spec.load import load
from provisioner.talos.design import SCHEMATIC, SECRETS
from provisioner.talos.images.schematic import Schematic
from provisioner.talos.kinds.schematic import SchematicKind, SchematicOutputs, SchematicProps

WISH = Schematic(extensions=("siderolabs/gvisor",))
PROPS = SchematicProps("", WISH.id, WISH.recipe, "v1.13.9", ("siderolabs/gvisor",))
KIND = SchematicKind()


def job(props: SchematicProps) -> Job[SchematicProps, SchematicOutputs]:
    return Job("K", 1, SCHEMATIC, wanted=props)


def test_a_schematic_is_told_once_however_often_the_verb_runs() -> None:
    with image_factory() as remote:
        work = job(evolve(PROPS, factory=remote.url))
        answers = [KIND.create(None, work, None), KIND.create(None, work, None), KIND.update(None, work, None)]  # type: ignore[arg-type]

    assert [Done(SchematicOutputs(WISH.id))] * 3 == answers
    assert remote.asked("POST") == ["/schematics"]


def test_an_extension_that_is_none_ends_the_step() -> None:
    """Before the factory learns a schematic that it can never make."""
    with image_factory() as remote:
        props = evolve(PROPS, factory=remote.url, extensions=("siderolabs/gvisr",))
        with pytest.raises(Fatal, match="no such official extension"):
            KIND.create(None, job(props), None)  # type: ignore[arg-type]
    assert remote.asked("POST") == []


def test_what_is_on_record_is_believed() -> None:
    """A plan asks no factory."""
    made = evolve(job(PROPS), outputs=SchematicOutputs(WISH.id), applied=PROPS)
    readings = KIND.read(None, [made, evolve(job(PROPS), key="L")], None)  # type: ignore[arg-type]

    seen = readings["K"]
    assert isinstance(seen, Seen)
    assert (WISH.id, WISH.recipe, ("siderolabs/gvisor",)) == (
        seen.props["id"],
        seen.props["recipe"],
        seen.props["extensions"],
    )
    assert readings["L"] == Absent()
    assert Done(None) == KIND.delete(None, made, None)  # type: ignore[arg-type]


FILE = """\
version: 1
name: demo
talos: {version: v1.13.9%s}
providers:
  sim: {delivery: api}
pools:
  control: {role: controlplane, provider: sim, count: 1}
"""


def graph(folder: Path, more: str) -> ResourceGraph:
    file = folder / "cluster.yaml"
    file.write_text(FILE % more)
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    return compose(spec, topology, bindings, Registry.installed())


def test_what_names_the_schematic_comes_after_it(tmp_path: Path) -> None:
    """Here that is the configuration, whose installer is made of it."""
    resources = graph(tmp_path, ", extensions: [siderolabs/gvisor]").resources

    assert WISH.id == resources[SCHEMATIC].props["id"]
    assert SCHEMATIC in resources[Address("talos.config", "control-1")].after
    assert SCHEMATIC not in resources[SECRETS].after


def test_the_public_factory_need_not_be_told_of_the_stock_image(tmp_path: Path) -> None:
    assert SCHEMATIC not in graph(tmp_path, "").resources


def test_a_factory_of_one_s_own_is_told_even_that(tmp_path: Path) -> None:
    resources = graph(tmp_path, ", factory: 'https://factory.example.org/'").resources
    props = resources[SCHEMATIC].props
    assert (props["id"], props["factory"]) == (STOCK_SCHEMATIC, "https://factory.example.org")


def test_an_id_alone_has_no_recipe(tmp_path: Path) -> None:
    resources = graph(tmp_path, f", schematic_id: {WISH.id}").resources
    assert (WISH.id, "", ()) == tuple(resources[SCHEMATIC].props[name] for name in ("id", "recipe", "extensions"))


def test_an_id_may_stand_beside_what_it_stands_for(tmp_path: Path) -> None:
    more = f", schematic_id: {WISH.id}, extensions: [siderolabs/gvisor]"
    assert WISH.recipe == graph(tmp_path, more).resources[SCHEMATIC].props["recipe"]


def test_an_id_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        graph(tmp_path, f", schematic_id: {WISH.id}, extensions: [siderolabs/zfs]")
    assert (caught.value.problems()[0].code, str(caught.value.place).rpartition("/")[2]) == (
        "schematic-id",
        "cluster.yaml:3:41",
    )


def test_where_only_the_factory_knows_the_id_the_file_has_to_say_it(tmp_path: Path) -> None:
    """Once it does, it is believed here, and held against the factory's word during apply."""
    more = ", schematic: {extra_kernel_args: ['off']}"
    with pytest.raises(InputError) as caught:
        graph(tmp_path, more)
    assert "prov images register" in caught.value.problems()[0].remedy

    props = graph(tmp_path, f"{more}, schematic_id: {WISH.id}").resources[SCHEMATIC].props
    assert WISH.id == props["id"]
