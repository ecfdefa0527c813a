"""Settings of machines as data: folders of `tests/cases/documents` have a `machine:` section and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisioner.model.value import Value
from provisioner.spec.document import parse
from provisioner.spec.fields import Reader
from provisioner.spec.findings import Findings
from provisioner.spec.machine import SettingsReader, check_whole
from provisioner.spec.references import Scope
from provisioner.spec.schema import MachineSettings

FOLDER = Path(__file__).parents[1] / "cases" / "documents"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
MINORS = ("1.11", "1.12", "1.13", "1.14")


def settings_of(name: str) -> Mapping[str, Value]:
    """The settings of a case, read as a cluster file's are; raises InputError where something is wrong with them."""
    return read((FOLDER / name / "machine.yaml").read_text()).values


def read(text: str, **environ: str) -> MachineSettings:
    """The settings of a `machine:` section."""
    findings = Findings()
    reader = Reader(findings, Scope(environ=environ))
    (node,) = parse(text.encode(), "machine.yaml", findings)
    settings = SettingsReader(reader, "machine.yaml").read(node, "machine")
    if not findings:
        check_whole(settings, findings)
    findings.settle()
    return settings
