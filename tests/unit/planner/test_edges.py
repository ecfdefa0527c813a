"""Edges that are wished for: as many as can be, the earlier ones first, and never a circle."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from provisioner.planner.edges import Edge, Edges

IDS = [f"s{number}" for number in range(8)]
EDGES = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda edge: edge[0] != edge[1]))


def _made(edges: Edges) -> set[Edge]:
    return {(id_, other) for id_ in IDS for other in edges.after(id_)}


def _closes(edges: set[Edge], edge: Edge) -> bool:
    """Whether an edge closes a circle, found out in the plainest way."""
    reached, before = {edge[1]}, set[str]()
    while reached != before:
        before = reached
        reached = reached | {other for id_, other in edges if id_ in reached}
    return edge[0] in reached


def _one_by_one(edges: list[Edge]) -> set[Edge]:
    taken: set[Edge] = set()
    for edge in edges:
        if not _closes(taken, edge):
            taken.add(edge)
    return taken


@given(EDGES, EDGES)
def test_wishes_come_true_as_if_they_were_looked_at_one_by_one(first: list[Edge], then: list[Edge]) -> None:
    expected = _one_by_one([*first, *then])
    edges = Edges(IDS)

    refused = {*edges.wish(first), *edges.wish(then)}

    assert _made(edges) == expected
    assert refused == {*first, *then} - expected


@given(EDGES, EDGES)
def test_all_or_none_come_true(first: list[Edge], then: list[Edge]) -> None:
    edges = Edges(IDS)
    edges.wish(first)
    before = _made(edges)
    possible = _one_by_one([*sorted(before), *then]) >= {*then}

    assert edges.all_or_none(then) == possible
    assert _made(edges) == (before | {*then} if possible else before)


@given(EDGES, st.permutations(range(len(IDS))))
def test_each_comes_after_what_it_waits_for_and_as_early_as_its_rank_allows(
    wished: list[Edge], ranks: list[int]
) -> None:
    edges = Edges(IDS)
    edges.wish(wished)
    rank = dict(zip(IDS, ranks, strict=True))

    order = edges.order(rank)

    place = {id_: index for index, id_ in enumerate(order)}
    assert all(place[other] < place[id_] for id_, other in _made(edges))
    for earlier, later in itertools.pairwise(order):
        assert rank[earlier] < rank[later] or earlier in edges.after(later)
