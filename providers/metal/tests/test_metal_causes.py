"""Each cause is found in the evidence that leads to it, and not in what looks alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prov_metal.bmc.driver import Event, Facts, NextBoot
from prov_metal.boot.requests import Request
from prov_metal.diagnosis.causes import RULES, UNKNOWN, diagnose
from prov_metal.diagnosis.evidence import Evidence, Reach, Shown

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ON, OFF = (Facts("Acme", "A1", "1.0", "6ae7", "S1", on) for on in (True, False))
TALOS = "[    9.1] [talos] initialize sequence: 8 phase(s)\n"
BOOTED = TALOS + "[   20.0] [talos] boot sequence: 13 phase(s)\n"
FAILED = "[talos] task install (1/1): failed: "
INSTALLED = "[   60.0] [talos] task install (1/1): install successful\n"
CD = 'BdsDxe: failed to load Boot0001 "UEFI Virtual CDROM 1" from PciRoot(0x0)/Pci(0x14,0x0)/USB(0x2,0x0): '
MAC, STRANGE = "52:54:00:00:00:01", "52:54:00:99:99:99"
SILENT = "a BMC does not answer: https://10.0.0.1: ReadTimeout"


def evidence(phase: str = "booting", way: str = "media", **more: Any) -> Evidence:
    """Of a host that is on, and whose console is heard."""
    known = {"facts": ON, "heard": True, "address": "10.1.0.1", "now": NOW, "macs": (MAC,), "known": {MAC}}
    return Evidence(host="r1u1", phase=phase, way=way, **{**known, **more})


LEADS = {
    "bmc-certificate": [evidence("", facts=None, error="the certificate of a BMC is not to be trusted: x")],
    "bmc-password": [evidence("", facts=None, error="a BMC refuses the user or the password: x")],
    "bmc-sessions-full": [
        evidence("", error="a BMC wants fewer calls: 503: The maximum number of user sessions is reached."),
        evidence("", error="the session table of a BMC is full: x"),
    ],
    "bmc-unreachable": [
        evidence("", facts=None, error=SILENT, reach=Reach("refused")),
        evidence("booting", facts=None, error=SILENT, reach=Reach("unreachable", 60)),
    ],
    "bmc-frozen": [evidence("", facts=None, error=SILENT, reach=Reach("mute", 60))],
    "bmc-slow": [evidence("", facts=None, error=SILENT, reach=Reach("slow", 31))],
    "uuid-duplicate": [evidence("", doubles=("r1u2",))],
    "bmc-licence": [
        evidence("stopped", error="a BMC has no licence for this: https://10.0.0.1 answered 400 to inserting media"),
    ],
    "bmc-job-queued": [evidence("loaded", error="a BMC has a job in its queue that comes first: https://10.0.0.1")],
    "talos-left-over": [
        evidence(
            "booting",
            console="[talos] task haltIfInstalled: Talos is already installed to disk but booted from another media",
        ),
    ],
    "other-system": [evidence("from-disk", talos=Shown("other", ("talos-a1b", "10.1.0.1")))],
    "url-refused": [
        evidence(
            "stopped", error="answered 400 to inserting media into /x: The remote file location is not accessible"
        ),
        evidence("stopped", error="answered 400 to POST /x/InsertMedia: the URI 'http://…' has an unknown scheme"),
    ],
    "media-refused": [
        evidence("stopped", error="a BMC has no slot for virtual media: https://10.0.0.1"),
        evidence("stopped", error="answered 400 to inserting media into /x: A required license is missing"),
    ],
    "eject-late": [
        evidence("up", error="a BMC has not ejected yet: /x is still inserted"),
        evidence("emptying", facts=OFF, error="answered 400 to ejecting from /x: The slot is locked"),
    ],
    "power-lie": [
        evidence("starting", facts=OFF, console=TALOS),
        evidence("parted", facts=OFF, talos=Shown("maintenance")),
        evidence("booting", facts=OFF, error="a BMC says that its machine is off, and it runs: r1u1"),
        evidence("booting", witnesses={"its chassis": False}),
        evidence("stopping", witnesses={"its chassis": False}),
    ],
    "reset-ignored": [
        evidence("starting", facts=OFF),
        evidence("stopping", facts=ON),
        evidence("switching", facts=ON),
        evidence("stopping", facts=ON, witnesses={"its chassis": True}),
    ],
    "panic": [evidence(console=TALOS + "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs\n")],
    "disk-read-only": [evidence(console=f"sd 0:0:0:0: [sda] Write Protect is on\n{FAILED}exit code 1\n")],
    "disk-missing": [
        evidence(console=f"{FAILED}lstat /dev/sdz: no such file or directory\n"),
        evidence(console=f"{FAILED}no disks matched the expression: disk.size > 1u * TB\n"),
    ],
    "clock": [
        evidence("from-disk", talos=Shown("node", (), NOW - timedelta(4000), NOW - timedelta(3600))),
        evidence(
            console="certificate has expired or is not yet valid: current time 2015-01-01T00:00:00Z is before 2026"
        ),
    ],
    "config-refused": [
        evidence(
            console='[talos] controller failed {"error": "failed to validate config acquired via platform metal: x"}'
        )
    ],
    "config-foreign": [
        evidence(way="network", requests=(Request(NOW, "r1u1", "config", 403, "10.1.0.9", said="uuid=77"),))
    ],
    "install-loop": [evidence(console=2 * (TALOS + INSTALLED))],
    "wrong-nic": [
        evidence("from-disk", console=BOOTED + "[talos] this machine is reachable at:\n[talos] \t10.9.0.7\n")
    ],
    "secure-boot": [evidence(console=f"{CD}Access Denied\n"), evidence(next_boot=NextBoot("None", "Disabled", True))],
    "boot-order": [evidence("from-disk", console=TALOS + INSTALLED + ">>Start PXE over IPv4.\n")],
    "http-404": [
        evidence(way="http", served=404),
        evidence(way="http", requests=(Request(NOW, "r1u1", "uki", 404, "10.1.0.1"),)),
        evidence(way="network", console=TALOS + "[talos] failed to download config, status code 404\n"),
    ],
    "tftp-lost": [
        evidence(way="network", leases=(f"DHCPACK(eth0) 10.1.0.1 {MAC}",)),
        evidence(way="network", leases=("failed sending /srv/ipxe.efi to 10.1.0.1",)),
        evidence(way="network", console="PXE-E23: Client received TFTP error from server.\n"),
    ],
    "mac-unknown": [evidence(way="network", leases=(f"DHCPDISCOVER(eth0) {STRANGE} no address available",))],
    "dhcp-silent": [
        evidence(way="network", console=">>Start PXE over IPv4.\n  PXE-E16: No valid offer received.\n"),
        evidence(way="network", console="\n"),
    ],
    "media-unseen": [
        evidence(console=f"{CD}Not Found\n", media="http://x"),
        evidence(console="debian login: ", media="http://x", next_boot=NextBoot("None", "Disabled")),
    ],
    "override-ignored": [evidence(console="debian login: ", media="http://x", next_boot=NextBoot("Cd", "Once"))],
    "reset-unbegun": [evidence("waiting", talos=Shown("node"))],
    "reset-hangs": [evidence("waiting", talos=Shown("refused")), evidence("waiting", talos=Shown("silent"))],
    "config-unread": [evidence(console=TALOS, talos=Shown("maintenance"))],
    "api-shut": [evidence("from-disk", console=BOOTED, talos=Shown("refused"))],
}
NOTHING = {
    "a host that says nothing and is not heard": evidence(heard=False),
    "a disc that boots and stops in the middle": evidence(console=TALOS),
    "a host whose requests stand in the log of another process": evidence(
        way="network", console="\n", elsewhere=True
    ),
    "an error that nobody knows": evidence("stopped", error="a BMC refuses a request: answered 400 to PATCH /x: no"),
    "a system that is on its way": evidence("booting", console=TALOS + INSTALLED),
    "a machine that is on and was heard, whatever its chassis says": evidence(
        console=TALOS, witnesses={"its chassis": False}
    ),
    "a node with a good clock": evidence("from-disk", talos=Shown("node", (), NOW, NOW + timedelta(9))),
}


@pytest.mark.parametrize(
    ("cause", "number"), [(cause, number) for cause in LEADS for number in range(len(LEADS[cause]))]
)
def test_evidence_leads_to_its_cause(cause: str, number: int) -> None:
    """The sentence is there, and the next thing to do."""
    found = diagnose(LEADS[cause][number])
    assert cause == found.cause
    assert found.sentence
    assert found.remedy


def test_every_cause_is_told_by_a_test() -> None:
    """A rule without evidence is a guess."""
    assert {rule.cause for rule in RULES} == set(LEADS)


@pytest.mark.parametrize("name", NOTHING)
def test_what_leads_nowhere_is_called_unknown(name: str) -> None:
    """With something to try next all the same."""
    found = diagnose(NOTHING[name])
    assert (found.cause, found.sentence) == (UNKNOWN, "")
    assert found.remedy


def test_evidence_is_told_in_short() -> None:
    """Power, drive, log and last words, each once."""
    seen = evidence(
        console="[    1.0] first\n[    2.0] last words\n\n",
        events=(Event(NOW, "critical", "PSU 1 has failed"),),
        talos=Shown("maintenance"),
    ).seen()
    assert seen == [
        "power on",
        "no disc is in",
        "at 10.1.0.1 Talos waits for a configuration",
        "BMC log: PSU 1 has failed",
        "console: last words",
    ]
