"""The graph: every node after what it needs, in a stable order, and circles named as a path."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.graph.dag import Cycle, Dag


def _dag(**edges: str) -> Dag[str]:
    dag: Dag[str] = Dag()
    for node, needs in edges.items():
        dag.add(node, needs)
    return dag


def test_each_comes_after_what_it_needs() -> None:
    assert _dag(a="bc", b="c", c="").order() == ("c", "b", "a")


def test_order_of_insertion_decides_between_equals() -> None:
    assert _dag(z="", m="", a="").order() == ("z", "m", "a")


def test_adding_again_adds_edges() -> None:
    dag = _dag(a="b", b="", c="")
    dag.add("a", "c")
    assert dag.needs("a") == ("b", "c")


def test_what_is_needed_is_a_node_too() -> None:
    dag = _dag(a="b")
    assert "b" in dag
    assert len(dag) == 2
    assert list(dag) == ["a", "b"]


def test_who_needs_a_node_is_told() -> None:
    assert _dag(a="c", b="c", c="").needed_by() == {"a": (), "b": (), "c": ("a", "b")}


def test_a_circle_is_named_as_a_path_that_closes() -> None:
    with pytest.raises(Cycle) as caught:
        _dag(a="b", b="c", c="b", d="a").order()
    assert caught.value.path == ("b", "c", "b")
    assert str(caught.value) == "b → c → b"


def test_a_node_that_needs_itself_is_a_circle() -> None:
    with pytest.raises(Cycle) as caught:
        _dag(a="a").order()
    assert caught.value.path == ("a", "a")


def test_the_circle_of_a_graph_is_always_told_the_same_way() -> None:
    circles = set()
    for _ in range(20):
        names = [f"node-{index}" for index in range(20)]
        dag: Dag[object] = Dag()
        nodes = [_Named(name) for name in names]
        for index, node in enumerate(nodes):
            dag.add(node, [nodes[index - 1]])
        with pytest.raises(Cycle) as caught:
            dag.order()
        circles.add(str(caught.value))
    assert len(circles) == 1
    assert circles.pop().startswith("node-0 → ")


class _Named:
    """A node whose hash differs from run to run, as that of text does between processes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_any_graph_is_ordered_or_has_a_circle_that_exists(pairs: list[tuple[int, int]]) -> None:
    dag: Dag[int] = Dag()
    for node, need in pairs:
        dag.add(node, [need])
    order, circle = _ordered(dag)
    assert all(need in dag.needs(node) for node, need in itertools.pairwise(circle))
    assert circle[:1] == circle[-1:]
    assert bool(circle) or sorted(order) == sorted(dag)
    assert all(order.index(need) < order.index(node) for node in order for need in dag.needs(node))


def _ordered(dag: Dag[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The order, or the circle; the other of the two is empty."""
    try:
        return dag.order(), ()
    except Cycle as err:
        return (), err.path  # type: ignore[return-value]
