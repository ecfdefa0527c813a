"""Paths whose differences are left alone once an object is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from provisioner.model.step import ABSENT
from provisioner.model.value import Path, Value


@frozen
class Ignored:
    """Dotted paths such as `tags.owner` or `disks.0.size`; each covers all that is below it."""

    paths: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Ignored:
        """The paths as a resource names them."""
        return cls(tuple(tuple(text.split(".")) for text in texts))

    def __bool__(self) -> bool:
        return bool(self.paths)

    def covers(self, path: Path) -> bool:
        """Whether a leaf, or something above it, is to be left alone."""
        words = tuple(str(part) for part in path)
        return any(words[: len(one)] == one for one in self.paths)

    def left_alone(
        self, wanted: Mapping[str, Value], known: Mapping[str, Value], found: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        """Wanted props with what is found at these paths, so that a change of something else does not touch it.

        `known` are the wanted props as far as they can be computed now: they stand for a reference or call that a
        path leads into. One that is still unknown stays, and is written as the file says.
        """
        props: Value = wanted
        for path in self.paths:
            if path[0] in found:
                props = _put(props, known, found, path)
        assert isinstance(props, Mapping)
        return props


def _put(wanted: Value, known: Value, found: Value, path: tuple[str, ...]) -> Value:
    """`wanted` with what `found` has at a path: taken over, or taken out of its mapping if it is not there."""
    if not path:
        return found
    tree = wanted if isinstance(wanted, Mapping | tuple) else known
    part, rest = path[0], path[1:]
    match tree, found:
        case Mapping(), Mapping():
            if part in tree and part in found:
                return {**tree, part: _put(tree[part], _at(known, part), found[part], rest)}
            if part in found and not rest:
                return {**tree, part: found[part]}
            if part in tree and not rest:
                return {key: item for key, item in tree.items() if key != part}
            return wanted
        case tuple(), tuple() if part.isdigit() and int(part) < min(len(tree), len(found)):
            index = int(part)
            inner = _put(tree[index], _at(known, part), found[index], rest)
            return (*tree[:index], inner, *tree[index + 1 :])
        case _:
            return wanted


def _at(tree: Value, part: str) -> Value:
    match tree:
        case Mapping():
            return tree.get(part, ABSENT)
        case tuple() if part.isdigit() and int(part) < len(tree):
            return tree[int(part)]
        case _:
            return ABSENT
