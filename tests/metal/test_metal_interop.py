"""DMTF's own validator, with the profile of what prov needs, before an emulator of a BMC that is not ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from beds.bmc.bed import BmcBed

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "docs" / "reference" / "prov-bmc.v1_0_0.json"


@pytest.mark.metal
def test_an_emulated_bmc_has_all_that_prov_needs(tmp_path: Path) -> None:
    """The validator finds nothing that fails, and looks at what matters."""
    with BmcBed(tmp_path) as bed:
        done = _judged(bed, PROFILE, tmp_path)
    assert done.returncode == 0, done.stdout
    passed, _, failed, _ = _figures(done.stdout)
    assert (passed >= 30, failed) == (True, 0)


@pytest.mark.metal
def test_the_validator_sees_what_is_missing(tmp_path: Path) -> None:
    """With one more thing that the emulator does not have, it fails: so it would."""
    profile = json.loads(PROFILE.read_text())
    profile["Resources"]["ComputerSystem"]["PropertyRequirements"]["SerialNumber"] = {"ReadRequirement": "Mandatory"}
    wanted = tmp_path / "wanted.v1_0_0.json"
    wanted.write_text(json.dumps(profile))
    with BmcBed(tmp_path) as bed:
        done = _judged(bed, wanted, tmp_path)
    assert done.returncode != 0
    assert _figures(done.stdout)[2] == 1


def _judged(bed: BmcBed, profile: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    tools = os.environ.get("PROV_METAL_BED")
    assert tools, "this test needs the validator: run scripts/metal-test.sh"
    url = bed.address.removeprefix("redfish+")
    who = ("--username", "admin", "--password", "none", "--authtype", "Basic")
    return subprocess.run(
        [Path(tools).resolve().parents[1] / "interop/bin/rf_interop_validator", "--rhost", url, *who, profile],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _figures(text: str) -> list[int]:
    """Pass, warn, fail and not tested: the only line of four numbers."""
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines()]
    (figures,) = [row for row in rows if len(row) == 4 and all(cell.isdigit() for cell in row)]
    return [int(cell) for cell in figures]
