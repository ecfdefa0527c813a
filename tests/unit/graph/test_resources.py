"""Wanted resources: their references become edges, and everything wrong is told at once."""

from __future__ import annotations

import pytest

from provisioner.errors import InputError, Place
from provisioner.graph.resources import ResourceGraph, build_graph
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.resource import Resource
from provisioner.model.value import Call, Ref, Value


def _at(name: str) -> Address:
    return Address("toy.thing", name)


def _thing(name: str, *after: str, line: int = 0, **props: Value) -> Resource:
    return Resource(_at(name), "toy", props, tuple(map(_at, after)), place=Place("cluster.yaml", line, 1))


def _graph(*resources: Resource) -> ResourceGraph:
    return build_graph("demo", resources, providers={}, rollouts=(), bindings={}, outputs={}, spec_digest="sha256:0")


def test_references_and_after_become_edges_once_each() -> None:
    call = Call("concat", (Ref(_at("a"), "id"), Ref(_at("b"), "id")))
    graph = _graph(_thing("c", "a", x=(call,)), _thing("b"), _thing("a"))
    assert graph.needs == {_at("b"): (), _at("a"): (), _at("c"): (_at("a"), _at("b"))}


def test_resources_stand_in_an_order_in_which_they_can_be_made() -> None:
    graph = _graph(_thing("c", "b"), _thing("b", "a"), _thing("a"))
    assert list(graph.resources) == [_at("a"), _at("b"), _at("c")]


def test_every_problem_is_told_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        _graph(_thing("a", line=1), _thing("a", line=2), _thing("b", "lost", line=3, x=Ref(_at("gone"), "id")))
    told = [(problem.code, str(problem.place), problem.detail) for problem in caught.value.problems()]
    assert told == [
        ("resource-twice", "cluster.yaml:2:1", "toy.thing/a is defined more than once"),
        ("resource-missing", "cluster.yaml:3:1", "toy.thing/b refers to toy.thing/lost, which is not in the file"),
        ("resource-missing", "cluster.yaml:3:1", "toy.thing/b refers to toy.thing/gone, which is not in the file"),
    ]
    assert all(problem.remedy for problem in caught.value.problems())


def test_a_circle_is_told_as_a_path_at_the_place_of_a_member() -> None:
    with pytest.raises(InputError) as caught:
        _graph(_thing("a", "b", line=1), _thing("b", "a", line=2), _thing("c", "a", line=3))
    (problem,) = caught.value.problems()
    assert problem.code == "reference-circle"
    assert problem.detail == "toy.thing/a → toy.thing/b → toy.thing/a"
    assert str(problem.place) == "cluster.yaml:1:1"


def test_a_resource_that_refers_to_itself_is_a_circle() -> None:
    with pytest.raises(InputError, match="circle"):
        _graph(_thing("a", x=Ref(_at("a"), "id")))


def _served(*resources: Resource, lenient: tuple[str, ...] = ()) -> ResourceGraph:
    """A graph whose only instance has settings that refer to `door`."""
    use = ProviderUse("toy", "toy", {"place": Ref(_at("door"), "address")})
    return build_graph(
        "demo",
        resources,
        providers={"toy": use},
        rollouts=(),
        bindings={},
        outputs={},
        spec_digest="sha256:0",
        lenient=lenient,
    )


def test_what_an_instance_serves_waits_for_what_its_settings_refer_to() -> None:
    """But for what that stands on itself: that is made with what is known of the settings."""
    graph = _served(_thing("inside"), _thing("door", "base"), _thing("base"))

    assert graph.needs == {_at("base"): (), _at("door"): (_at("base"),), _at("inside"): (_at("door"),)}
    assert graph.configured == {"toy": (_at("door"),)}


def test_an_instance_may_make_do_with_what_is_known_of_its_settings() -> None:
    graph = _served(_thing("inside"), _thing("door"), lenient=("toy",))

    assert graph.needs == {_at("inside"): (), _at("door"): ()}
    assert graph.configured == {}
