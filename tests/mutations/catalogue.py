"""Mutations: small wrongs in the source, each with the tests that must notice it.

They are plain data, `tests/cases/mutations/*.yaml`; adding one needs no Python.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from attrs import frozen

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "mutations"


@frozen
class Mutation:
    """`old`, which stands once in `file`, becomes `new`; one of `tests` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The text of the file with the wrong in it; raises ValueError where `old` does not stand in it once."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} has the text to change {text.count(self.old)} times")
        return text.replace(self.old, self.new)


def catalogue() -> tuple[Mutation, ...]:
    """Every mutation, in the order of files and of lines."""
    return tuple(_mutation(raw) for file in sorted(CASES.glob("*.yaml")) for raw in _listed(file))


def _listed(file: Path) -> list[dict[str, str]]:
    listed = yaml.safe_load(file.read_text())
    assert isinstance(listed, list)
    return listed


def _mutation(raw: dict[str, str]) -> Mutation:
    return Mutation(raw["name"], raw["file"], raw["old"], raw["new"], tuple(raw["tests"].split()))
