"""What a file says about the life of its resources, and what is called otherwise: what good files come to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.spec.load import digest, load
from provisioner.spec.schema import ClusterSpec, MovedBlock, ResourceBlock


def _load(folder: Path, resources: dict[str, Any], *moved: tuple[str, str], **more: Any) -> ClusterSpec:
    moves = [{"from": origin, "to": target} for origin, target in moved]
    document = {"version": 1, "name": "demo", "resources": resources, "moved": moves, **more}
    file = folder / "cluster.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return load(file, variables={}, environ={})


def _values(*names: str) -> dict[str, Any]:
    return {name: {"kind": "core.value"} for name in names}


def _moves(spec: ClusterSpec) -> list[tuple[str, str]]:
    return [(str(move.origin), str(move.target)) for move in spec.moved]


def test_what_is_left_out_is_as_if_never_heard_of(tmp_path: Path) -> None:
    (block,) = _load(tmp_path, {"a": {"kind": "core.value", "lifecycle": None, "import": None}}).resources

    assert (block.replace, block.ignore, block.adopts) == ("delete_first", (), "")


def test_life_as_the_file_tells_it(tmp_path: Path) -> None:
    """Paths lose the word `props.`; expressions may use what is known at once."""
    lifecycle = {"replace": "create_first", "ignore": ["props.value.tags.owner", "props.replace_when"]}
    block = {"kind": "core.value", "lifecycle": lifecycle, "import": "${var.id}"}

    (found,) = _load(tmp_path, {"a": block}, variables={"id": {"type": "string", "default": "i-1"}}).resources

    assert found.replace == "create_first"
    assert found.ignore == ("value.tags.owner", "replace_when")
    assert found.adopts == "i-1"


def test_each_entry_takes_over_an_object_of_its_own(tmp_path: Path) -> None:
    """An empty text takes over nothing, however often it stands there."""
    ids = {"eu": "b-1", "us": "b-2", "ap": "", "sa": ""}

    spec = _load(tmp_path, {"z": {"kind": "core.value", "for_each": ids, "import": "${each.value}"}})

    assert {block.name: block.adopts for block in spec.resources} == {f"z-{key}": id_ for key, id_ in ids.items()}


@pytest.mark.parametrize("origin", ["resources.old", "core.value/old"])
@pytest.mark.parametrize("target", ["resources.a", "core.value/a"])
def test_a_move_between_names_of_either_form(origin: str, target: str, tmp_path: Path) -> None:
    spec = _load(tmp_path, _values("a"), (origin, target))

    assert spec.moved == (MovedBlock(Address("core.value", "old"), Address("core.value", "a")),)
    assert (spec.moved[0].place.line, spec.moved[0].place.column) == (7, 9)


@pytest.mark.parametrize("second", ["resources.b", "core.value/b"])
def test_a_chain_may_lead_through_names_that_are_gone(second: str, tmp_path: Path) -> None:
    """The kind comes from its end."""
    spec = _load(tmp_path, _values("c"), ("resources.a", second), ("resources.b", "resources.c"))

    assert _moves(spec) == [("core.value/a", "core.value/b"), ("core.value/b", "core.value/c")]


def test_a_chain_may_lead_through_a_name_that_is_used_again(tmp_path: Path) -> None:
    """The later entry tells which kind is meant, not what bears the name now."""
    resources = {"b": {"kind": "sim.balancer"}, **_values("c")}
    chain = (("resources.a", "resources.b"), ("resources.b", "resources.c"))

    spec = _load(tmp_path, resources, *chain, providers={"sim": {}})

    assert _moves(spec) == [("core.value/a", "core.value/b"), ("core.value/b", "core.value/c")]


def test_names_may_be_shifted(tmp_path: Path) -> None:
    """What has moved on makes room for the next."""
    spec = _load(tmp_path, _values("b", "c"), ("resources.b", "resources.c"), ("resources.a", "resources.b"))

    assert _moves(spec) == [("core.value/b", "core.value/c"), ("core.value/a", "core.value/b")]


def test_a_bare_name_has_the_kind_of_where_it_leads(tmp_path: Path) -> None:
    """Also where something else bears it now."""
    resources = {**_values("a"), "lb": {"kind": "sim.balancer"}}

    spec = _load(tmp_path, resources, ("resources.a", "resources.lb"), providers={"sim": {}})

    assert _moves(spec) == [("sim.balancer/a", "sim.balancer/lb")]


def test_a_thousand_moves_in_a_row(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(1001)]
    pairs = [(f"resources.{one}", f"resources.{two}") for one, two in pairwise(names)]

    spec = _load(tmp_path, _values(names[-1]), *pairs)

    assert len(spec.moved) == 1000
    assert {address.kind for move in spec.moved for address in (move.origin, move.target)} == {"core.value"}


@pytest.mark.parametrize("change", [{"replace": "create_first"}, {"ignore": ("value",)}, {"adopts": "i-1"}])
def test_the_digest_depends_on_how_things_live(change: dict[str, Any], tmp_path: Path) -> None:
    spec = _load(tmp_path, _values("a"))
    (block,) = spec.resources
    changed: ResourceBlock = evolve(block, **change)

    assert digest(spec) != digest(evolve(spec, resources=(changed,)))


def test_the_digest_depends_on_moves_and_their_order_but_not_on_where_they_stand(tmp_path: Path) -> None:
    spec = _load(tmp_path, _values("a", "b"), ("resources.x", "resources.a"), ("resources.y", "resources.b"))
    moved_down = tuple(evolve(move, place=Place("other.yaml", 1, 1)) for move in spec.moved)

    assert digest(spec) == digest(evolve(spec, moved=moved_down))
    assert len({digest(spec), digest(evolve(spec, moved=spec.moved[::-1])), digest(evolve(spec, moved=()))}) == 3
