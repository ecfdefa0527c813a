"""A toy provider whose machines stand in places, of which a table has a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from attrs import define, field, frozen
from fakes.toy_maker import ToyMaker

from provisioner.sdk import Node, ProvError, Secret, Slice, Value, prop, strip_origins


@frozen
class Place:
    """A row: where a machine may stand, and what opens the door there."""

    door: str
    code: Secret | None = prop(secret=True, default=None)  # noqa: RUF009


@frozen
class StockSettings:
    """The provider block, with places by name."""

    places: Mapping[str, Any] = field(factory=dict)


STOCK: Mapping[str, Value] = {
    "places": {f"place-{number}": {"door": f"door {number}", "code": f"planted-{number}"} for number in range(12)}
}


@define
class ToyStock(ToyMaker):
    """Machines in places."""

    settings: ClassVar[type[Any]] = StockSettings
    tables: ClassVar[Mapping[str, type[Any]]] = {"places": Place}

    def connect(self, settings: StockSettings) -> Any:
        return super().connect(ToyMaker.settings())

    def claim(self, part: Slice, held: Mapping[str, str]) -> Mapping[str, str]:
        kept = {node.name: held[node.name] for node in part.nodes if node.name in held}
        free = [place for place in self.places(part) if place not in held.values()]
        wanting = [node for node in part.nodes if node.name not in kept]
        if len(free) < len(wanting):
            raise ProvError(
                "there is no place for a node",
                detail=f"{wanting[len(free)].name}: all {len(self.places(part))} are taken",
                remedy="add places, or ask for fewer nodes",
            )
        return kept | {node.name: place for node, place in zip(wanting, free, strict=False)}

    def thing(self, node: Node, part: Slice, boot: Any) -> dict[str, Value]:
        return {**super().thing(node, part, boot), "label": node.claim}

    def places(self, part: Slice) -> list[str]:
        """All there are, in their order."""
        rows: Any = part.settings["places"]
        return [*rows]

    def complaints(
        self, settings: Mapping[str, Value], table: str, row: Mapping[str, Value]
    ) -> Iterator[tuple[str, str, str]]:
        """A door has a name."""
        if row["door"] == "":
            yield "door", "has no name", "name it"

    def single(self, table: str, row: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """A door is in one place only."""
        door = strip_origins(row["door"])
        if isinstance(door, str):
            yield "door", door
