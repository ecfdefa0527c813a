"""The objects of one sort that a daemon holds, found by whatever callers know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from attrs import evolve

from prov_sim.balancer import Balancer
from prov_sim.machine.machine import Machine

Thing = TypeVar("Thing", Machine, Balancer)


class Holdings(Mapping[str, Thing], Generic[Thing]):
    """Objects by id, in the order in which they were made; also by their owner's key, and by name."""

    def __init__(self) -> None:
        self._by_id: dict[str, Thing] = {}
        self._by_key: dict[tuple[str, str], Thing] = {}
        self._by_name: dict[tuple[str, str], Thing] = {}

    def __getitem__(self, thing_id: str) -> Thing:
        return self._by_id[thing_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, thing: Thing) -> None:
        """An object whose key and name nobody has yet."""
        order = thing.order
        self._by_id[thing.id] = thing
        self._by_key[order.lineage, order.key] = thing
        self._by_name[order.group, order.name] = thing

    def remove(self, thing: Thing) -> None:
        order = thing.order
        del self._by_id[thing.id]
        del self._by_key[order.lineage, order.key]
        del self._by_name[order.group, order.name]

    def give(self, thing: Thing, lineage: str, key: str) -> None:
        """Makes an object somebody's, or nobody's where both are empty."""
        self.remove(thing)
        thing.order = evolve(thing.order, lineage=lineage, key=key)
        self.add(thing)

    def owned(self, lineage: str, key: str, thing_id: str | None = None) -> Thing | None:
        """The object of this lineage that has the key, else the id; what is somebody else's is not found."""
        found = self._by_key.get((lineage, key)) or self._by_id.get(thing_id or "")
        return found if found is not None and found.order.lineage == lineage else None

    def named(self, group: str, name: str) -> Thing | None:
        return self._by_name.get((group, name))
