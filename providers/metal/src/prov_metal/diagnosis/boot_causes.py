"""Causes between the power switch and the first word of Talos: what the firmware boots, and what it gets to boot.

Texts of firmware are those of edk2 (BdsDxe, PXE-E codes, HTTP boot), those of DHCP and TFTP of dnsmasq.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prov_metal.diagnosis.evidence import Evidence
from prov_metal.diagnosis.rule import Rule
from prov_metal.diagnosis.talos_causes import LAST

_TALOS = r"\[talos\]"
_INSTALLED = r"install successful"
_MAC = r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b"
_CD_OPTION = r'BdsDxe: (loading|failed to load|starting) Boot\S+ "[^"]*(DVD|CD-?ROM|CDROM|Virtual (Media|CD))'
_CD_FAILED = r'BdsDxe: failed to load Boot\S+ "[^"]*(DVD|CD-?ROM|CDROM|Virtual (Media|CD))[^"]*".*: Not Found'
_NET = r'Start PXE over|Start HTTP Boot|PXE-E\d|BdsDxe: (loading|starting) Boot\S+ "[^"]*(PXE|HTTP)|iPXE'
_ON = ("starting", "booting")


def _secure(e: Evidence) -> str:
    line = e.said(r"BdsDxe: failed to load .*: (Access Denied|Security Violation)|Secure Boot [Vv]iolation")
    if line:
        return f"secure boot refuses the image: {line}"
    on = e.next_boot is not None and e.next_boot.secure
    quiet = e.phase in _ON and not e.said(_TALOS) and e.heard and not e.console.strip()
    return "secure boot is on, and the image is not signed for it" if on and quiet else ""


def _order(e: Evidence) -> str:
    rest = e.after(_INSTALLED)
    elsewhere = re.search(rf"{_NET}|No bootable (option|device)", rest)
    if e.said(_INSTALLED) and elsewhere and not re.search(_TALOS, rest[elsewhere.start() :]):
        return f"it is installed and does not boot from its disk: {_line(rest, elsewhere.start())}"
    return ""


def _line(text: str, at: int) -> str:
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[begin : end if end >= 0 else len(text)].strip()[:200]


def _not_there(e: Evidence) -> str:
    missing = [request for request in e.requests if request.status == 404]
    line = e.said(r"status code 404|HTTP status 404|NBP file size.*HTTP|0x2d0c0|http.*\b404\b")
    if e.served in (0, 404):
        return f"what it should boot is not served: {e.served or 'no answer'} from `serve`"
    if missing:
        return f"what it boots is not there: 404 for {missing[-1].what}"
    return f"what it boots is not there: {line}" if line else ""


def _tftp(e: Evidence) -> str:
    if e.way != "network":
        return ""
    acked = [line for line in e.asked_by_us if re.search(r"DHCPACK|PXE\(", line)]
    failed = [line for line in e.leases if re.search(r"failed sending|TFTP error|file .* not found", line)]
    line = e.said(r"PXE-E(18|23|32|35|36|38|3B|3C|98|99)|TFTP.*(timeout|error)|Unable to fetch TFTP image")
    if failed:
        return f"the boot loader does not get through by TFTP: {failed[-1].strip()}"
    if line:
        return f"the boot loader does not get through by TFTP: {line}"
    sent = any(re.search(r"\bsent \S+ to\b", line) for line in e.leases)
    if acked and not sent and not e.requests and not e.said(_TALOS):
        return "it has an address from DHCP and never got the boot loader by TFTP"
    return ""


def _stranger(e: Evidence) -> str:
    if e.way not in ("network", "http") or e.asked_by_us or not e.leases:
        return ""
    macs = [mac for line in e.leases for mac in re.findall(_MAC, line.lower())]
    strange = [mac for mac in macs if mac not in {known.lower() for known in e.known}]
    return f"a MAC that no row has asks for an address: {strange[-1]}" if strange else ""


def _dhcp(e: Evidence) -> str:
    line = e.said(
        r"PXE-E(16|51|52|53)|HTTP.*No valid offer|No valid offer received|DHCP failed|No configuration methods"
    )
    if e.way in ("network", "http") and line and not e.said(_TALOS):
        return f"nobody gives it an address: {line}"
    silent = e.way == "network" and e.phase == "booting" and not (e.asked_by_us or e.requests or e.elsewhere)
    return "no DHCP server has heard of it" if silent and e.heard and not e.said(_TALOS) else ""


def _ignores(e: Evidence) -> str:
    boot = e.next_boot
    if boot is None or boot.enabled != "Once" or boot.target in ("", "None", "Hdd") or e.phase not in _ON:
        return ""
    if e.said(_TALOS) or e.said(_CD_OPTION) or (e.heard and not e.console.strip()):
        return ""  # who says nothing may as well be in its self test
    return f"it boots as ever: {boot.target} is set for the next start, and its firmware has not looked"


def _unseen(e: Evidence) -> str:
    if e.way != "media" or e.phase not in _ON or e.said(_TALOS):
        return ""
    line = e.said(_CD_FAILED)
    if line:
        return f"it does not see the disc in its virtual drive: {line}"
    used = e.next_boot is not None and e.next_boot.enabled == "Disabled"
    foreign = e.said(r"login:|Booting `|GRUB|No bootable")
    return f"it did not boot the disc that its BMC says is in: {foreign}" if used and foreign and e.media else ""


RULES: Sequence[Rule] = (
    Rule(
        "secure-boot",
        _secure,
        lambda e: "switch secure boot off in its firmware, or boot a signed image (metal-amd64-secureboot.iso)",
    ),
    Rule(
        "boot-order",
        _order,
        lambda e: "put its own disk first in the boot order of its firmware, then `prov apply`",
    ),
    Rule(
        "http-404",
        _not_there,
        lambda e: "see `prov serve --json` for what is served, and `image` of the provider block; then `prov apply`",
    ),
    Rule("tftp-lost", _tftp, lambda e: "let UDP 69 and what follows it through between the host and `serve`"),
    Rule("mac-unknown", _stranger, lambda e: f"compare with the card of {e.host}, and correct `macs` in its row"),
    Rule(
        "dhcp-silent",
        _dhcp,
        lambda e: "see that its network reaches the DHCP server (VLAN, relay, cable), and that it is on: `dhcp`",
    ),
    Rule(
        "media-unseen",
        _unseen,
        lambda e: (
            "attach virtual media on the BMC's page (AutoAttach), restart the BMC; or boot it another way: "
            f"`boot: [http, network]` in the row of {e.host}"
        ),
    ),
    Rule(
        "override-ignored",
        _ignores,
        lambda e: "let its firmware take boot orders from the BMC, or update it; or put virtual media first by hand",
    ),
    *LAST,
)
