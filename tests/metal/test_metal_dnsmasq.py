"""dnsmasq itself, as the provider starts it, before machines that ask as firmware does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.metal
TESTS = Path(__file__).parents[1]
IPXE = Path("/usr/lib/ipxe")


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    return lambda scenario: _seen(scenario, tmp_path)


def _seen(scenario: str, folder: Path) -> dict[str, Any]:
    """What came of a scenario, in a network namespace of its own."""
    command = [
        "unshare",
        "--net",
        "--mount",
        "--fork",
        "--kill-child",
        sys.executable,
        "-m",
        "beds.metal.pxe",
        scenario,
    ]
    environ = os.environ | {"PYTHONPATH": str(TESTS), "TMPDIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=90)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_hosts_that_are_made_are_answered_and_nobody_else(seen: Callable[[str], dict[str, Any]]) -> None:
    """Each sort of firmware gets what it can boot, iPXE the menu; a host that comes or goes restarts nothing."""
    found = seen("hosts")

    given = {"address": "10.78.0.11", "server": "10.78.0.1", "class": ""}
    assert found["bios"] == {**given, "file": "undionly.kpxe"}
    assert found["uefi"] == {**given, "file": "ipxe.efi"}
    assert found["ipxe"]["file"] == "http://10.78.0.1:8069/boot.ipxe"
    assert found["web"]["file"] == "http://10.78.0.1:8069/boot.efi"
    assert found["web"]["class"] == "HTTPClient"
    assert found["stranger"] is None
    assert found["files"] == [(IPXE / name).stat().st_size for name in ("undionly.kpxe", "ipxe.efi")] + [-1]
    assert found["two"]["file"] == "ipxe.efi"
    assert found["same"]
    assert found["gone"]
    assert found["log"][0].endswith("DHCPOFFER(prov0) 10.78.0.11 52:54:00:00:00:01 ")
    assert found["private"] == "0o700"
    assert found["left"] == [False, False]


def test_beside_the_site_s_server_it_says_what_to_boot_and_gives_out_nothing(
    seen: Callable[[str], dict[str, Any]],
) -> None:
    """A BIOS chooses from a menu and asks for its choice at port 4011, where UEFI hears of the file at all.

    iPXE believes a proxy at once if there is a server beside the URL; firmware that fetches URLs is told one.
    """
    found = seen("proxied")
    bios, menu, web = "undionly.kpxe", "http://10.78.0.1:8069/boot.ipxe", "http://10.78.0.1:8069/boot.efi"

    here, none = "10.78.0.1", "0.0.0.0"
    assert {name: (one["file"], one["server"]) for name, one in found["asked"].items()} == {
        "bios": (bios, none),
        "bios at 4011": (bios, here),
        "uefi": ("", here),
        "uefi at 4011": ("ipxe.efi", here),
        "ipxe by bios": (menu, here),
        "ipxe by uefi": (menu, here),
        "web": (web, here),
    }
    assert {one["address"] for one in found["asked"].values()} == {none, found["machine"]}
    assert {one["class"] for name, one in found["asked"].items() if name != "web"} == {"PXEClient"}
    assert found["asked"]["web"]["class"] == "HTTPClient"
    assert found["stranger"] is None
    assert (found["card"], found["nobody"]) == ("52:54:00:00:00:aa", "")


def test_dnsmasq_dies_with_a_run_that_is_killed(seen: Callable[[str], dict[str, Any]]) -> None:
    """Or the next run could not answer any host."""
    assert seen("killed") == {"ended": 9, "gone": True}


def test_what_keeps_dnsmasq_from_running_is_told(seen: Callable[[str], dict[str, Any]]) -> None:
    found = seen("in_the_way")

    assert found["port"].startswith("dnsmasq does not start: ")
    assert "ddress already in use" in found["port"]
    assert "prov9" in found["interface"]
