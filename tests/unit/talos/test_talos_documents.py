"""What settings become, release by release.

Each folder of `tests/cases/documents` has a `machine.yaml` or a `kubernetes.yaml` and, by release, what a control
plane's configuration is patched with, or why the release cannot be told that. `PROV_GOLDEN=write` rewrites the
latter; read the diff.
"""

from __future__ import annotations

import os

import pytest
from fakes.settings_cases import FOLDER, MINORS, NAMES, limits, patches

from provisioner.model.value import reveal
from provisioner.talos.config.encode import encode
from provisioner.talos.settings.section import Target
from provisioner.talos.versions import Contract


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", NAMES)
def test_settings_become_what_is_on_file(name: str, minor: str) -> None:
    found = _described(name, Contract.parse(minor))
    file = FOLDER / name / f"{minor}.yaml"
    if os.environ.get("PROV_GOLDEN") == "write":
        file.write_text(found)
    assert file.read_text() == found


def _described(name: str, contract: Contract) -> str:
    refused = [f"# {'.'.join(map(str, item.path))}: {item.detail}\n" for item in limits(name, contract)]
    if refused:
        return "".join(refused)
    return encode([reveal(each) for patch in patches(name, Target(contract)) for each in patch])
