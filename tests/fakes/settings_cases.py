"""Settings as data: folders of `tests/cases/documents` have what a file says, and what it becomes.

`machine.yaml` or `kubernetes.yaml` is what stands below that key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path as File
from random import Random
from typing import Any

import yaml

from provisioner.errors import InputError
from provisioner.model.value import Path, Value
from provisioner.spec.document import parse
from provisioner.spec.fields import Reader
from provisioner.spec.findings import Findings
from provisioner.spec.references import Scope
from provisioner.spec.schema import Settings
from provisioner.spec.settings import SettingsReader, check_whole
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS, Area
from provisioner.talos.settings.section import Complaint, Document, Target
from provisioner.talos.versions import Contract

FOLDER = File(__file__).parents[1] / "cases" / "documents"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
MINORS = ("1.11", "1.12", "1.13", "1.14")


def limits(name: str, contract: Contract) -> tuple[Complaint, ...]:
    """What of a case the contract cannot be told."""
    area, settings = case(name)
    return tuple(area.limits(settings, contract))


def patches(name: str, target: Target) -> Iterator[tuple[Document, ...]]:
    """The patches of a case, for a node that has its settings with all others."""
    area, settings = case(name)
    return area.patches(area.for_role(settings, leads=target.leads), target)


def case(name: str) -> tuple[Area, Mapping[str, Value]]:
    """The settings of a case, read as a cluster file's are; raises InputError where something is wrong with them."""
    area = next(area for area in (MACHINE_SETTINGS, KUBERNETES_SETTINGS) if (FOLDER / name / _file(area)).exists())
    return area, read((FOLDER / name / _file(area)).read_text(), area).values


def mixed(chance: Random) -> tuple[Area, Mapping[str, Value] | None]:
    """Parts of a few cases in one; None where they do not go together, which `read` has found."""
    area, _ = case(chance.choice(NAMES))
    names = [name for name in NAMES if (FOLDER / name / _file(area)).exists()]
    tree: dict[str, Any] = {}
    for name in chance.sample(names, 3):
        _put(tree, yaml.safe_load((FOLDER / name / _file(area)).read_text()), chance)
    try:
        return area, read(yaml.safe_dump(tree, sort_keys=False), area).values
    except InputError:
        return area, None


def _put(tree: dict[str, Any], other: Mapping[str, Any], chance: Random) -> None:
    """Puts most of the other tree into a tree."""
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _put(tree[key], value, chance)
        elif chance.random() < 0.8:
            tree[key] = deepcopy(value)


def without(value: Any, path: Path) -> Any:
    """A tree without the part at the path, if it has it."""
    first, *rest = path
    if isinstance(value, Mapping) and first in value:
        if rest:
            return {**value, first: without(value[str(first)], tuple(rest))}
        return {key: item for key, item in value.items() if key != first}
    if isinstance(value, tuple) and isinstance(first, int) and first < len(value):
        kept = (without(value[first], tuple(rest)),) if rest else ()
        return (*value[:first], *kept, *value[first + 1 :])
    return value


def read(text: str, area: Area = MACHINE_SETTINGS) -> Settings:
    """The settings of one section of a file; raises InputError."""
    findings = Findings()
    nodes = parse(text.encode(), _file(area), findings)
    settings = SettingsReader(Reader(findings, Scope(environ={})), _file(area)).read(
        next(iter(nodes), None), area.called, area
    )
    if not findings:
        check_whole(settings, findings, area)
    findings.settle()
    return settings


def _file(area: Area) -> str:
    return f"{area.called}.yaml"
