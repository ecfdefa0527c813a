"""The name of a cluster alone, which is all it takes to find its state."""

from __future__ import annotations

from pathlib import Path

from provisioner.spec.document import MapNode, ScalarNode, parse
from provisioner.spec.findings import Findings
from provisioner.spec.rules import check_name


def plain_name(path: Path) -> str | None:
    """The name, if it stands there plainly; whatever else the file says, or lacks to be complete, does not matter."""
    findings = Findings()
    try:
        documents = parse(path.read_bytes(), path.name, findings)
    except OSError:
        return None
    match documents:
        case (MapNode(entries={"name": ScalarNode(value=str() as name, place=place)}),):
            check_name(name, place, findings)
            return None if findings else name
    return None
