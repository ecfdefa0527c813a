"""Causes that a machine tells itself: on its console, or by what it shows at its address.

The texts that are looked for are Talos's, the kernel's and the firmware's own:
siderolabs/talos, internal/app/machined/pkg: controllers/config/acquire.go ("failed to load config via platform",
"failed to validate config acquired via platform"), runtime/v1alpha1/v1alpha1_sequencer_tasks.go ("installing Talos to
disk", "install successful", "no disks matched the expression", "install failed, rebooting in"),
controllers/runtime/maintenance_service_inform.go ("this machine is reachable at:"),
v1alpha1_sequencer_tasks.go (haltIfInstalled: what counts is a partition called META on any disk, see
controllers/block/system_disk.go); Linux kernel/panic.c,
drivers/scsi/sd.c ("Write Protect is on"); Go crypto/x509 (validity).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from prov_metal.diagnosis.evidence import Evidence, short
from prov_metal.diagnosis.rule import Rule

_DAY = timedelta(days=1)
_NOT_YET = r"certificate has expired or is not yet valid: current time \S+ is before \S+"
_INSTALLED = r"task install \(\d+/\d+\): install successful"


def _panic(e: Evidence) -> str:
    line = e.said(r"^(?!.*end Kernel panic).*Kernel panic - not syncing")
    return f"its kernel has died: {line}" if line else ""


def _read_only(e: Evidence) -> str:
    failed = e.said(r"install failed|task install .*failed")
    line = e.said(r"Write Protect is on|[Rr]ead-only file system|blkdev_open.*read-only|write-protected")
    return f"its disk cannot be written: {line}" if failed and line else ""


def _no_disk(e: Evidence) -> str:
    failed = e.said(r"install failed|task install .*failed")
    line = e.said(r"(lstat|stat|open) /dev/\S+: no such file|no disks matched the expression|no such device")
    return f"the disk to install to is not there: {line}" if failed and line else ""


def _clock(e: Evidence) -> str:
    line = e.said(_NOT_YET)
    if line:
        found = re.search(_NOT_YET, line)
        return f"its clock is years off: {found[0] if found else line}"
    shown = e.talos
    if e.now is not None and shown.until is not None and shown.until < e.now - _DAY:
        return f"its clock is off: the certificate it has made itself ended {shown.until:%Y-%m-%d}"
    if e.now is not None and shown.since is not None and shown.since > e.now + _DAY:
        return f"its clock is off: the certificate it has made itself begins {shown.since:%Y-%m-%d}"
    return ""


def _left_over(e: Evidence) -> str:
    halts = e.said(r"Talos is already installed to disk but booted from another media")
    return "there is a Talos on one of its disks already, and Talos never installs over another" if halts else ""


def _other(e: Evidence) -> str:
    if e.talos.state != "other" or e.phase not in ("booting", "from-disk"):
        return ""
    names = ", ".join(name for name in e.talos.names if name != e.address)
    return f"a system that is not of this cluster answers at {e.address}" + (f" ({names})" if names else "")


def _refused(e: Evidence) -> str:
    line = e.said(r"failed to (load config via|validate config acquired via) platform")
    return f"Talos refuses its configuration: {short(_error_in(line))}" if line else ""


def _foreign(e: Evidence) -> str:
    others = [request for request in e.requests if request.status == 403]
    if not others:
        return ""
    last = others[-1]
    return f"another machine asks for its {last.what}: {last.said or last.why}, from {last.peer}"


def _loop(e: Evidence) -> str:
    number = e.times(_INSTALLED)
    return f"it installs itself again and again, {number} times so far" if number > 1 else ""


def _nic(e: Evidence) -> str:
    if e.talos.state not in ("silent", "refused") or not e.address:
        return ""
    words = e.after(r"this machine is reachable at:").splitlines()
    there = [
        found[0] for line in words for found in [re.findall(r"(?<![\d.])\d+\.\d+\.\d+\.\d+(?![\d.])", line)] if found
    ]
    if there and e.address not in there:
        return f"it is on another network: it can be reached at {', '.join(dict.fromkeys(there))}, not at {e.address}"
    return ""


def _shut(e: Evidence) -> str:
    booted = e.said(r"\bboot sequence: (\d+ phase|done)|service\[(machined|apid|kubelet)\]")
    if booted and e.phase in ("booting", "from-disk", "up") and e.talos.state in ("silent", "refused", "mute"):
        return f"Talos has booted, and its API at {e.address}:50000 never opens"
    return ""


def _error_in(line: str) -> str:
    """The error of a controller, from the JSON behind its line."""
    found = re.search(r'"error": "((?:[^"\\]|\\.)*)"', line)
    return found[1].replace("\\n", " ").replace('\\"', '"') if found else line


RULES: Sequence[Rule] = (
    Rule(
        "panic",
        _panic,
        lambda e: "see what hardware the release supports, and boot another one: `talos.version` in the cluster file",
    ),
    Rule(
        "disk-read-only",
        _read_only,
        lambda e: f"see the disk's write protection and health on the BMC's page; or give {e.host} another `disk`",
    ),
    Rule(
        "disk-missing",
        _no_disk,
        lambda e: f"see `talosctl -n {e.address} get disks --insecure`, and correct `disk` in the row of {e.host}",
    ),
    Rule(
        "clock",
        _clock,
        lambda e: "set the clock in its firmware or on its BMC, and see that its time servers answer (UDP 123)",
    ),
    Rule(
        "talos-left-over",
        _left_over,
        lambda e: (
            f"erase all disks of {e.host} that once had Talos: `talosctl reset` by whom it belonged to, or "
            "`wipefs -a` from a rescue system; then `prov apply`. `wipe` in its row prevents it the next time"
        ),
    ),
    Rule(
        "config-refused",
        _refused,
        lambda e: "see `prov why` for the path that it names, correct the file, then `prov apply`",
    ),
    Rule(
        "config-foreign",
        _foreign,
        lambda e: f"see which machine is behind the BMC of {e.host}: compare UUID and MACs with its row",
    ),
    Rule(
        "install-loop",
        _loop,
        lambda e: "put its own disk first in the boot order of its firmware, then `prov apply`",
    ),
    Rule(
        "other-system",
        _other,
        lambda e: (
            f"see whether an old system on a disk of {e.host} has booted, which is to be erased, or another machine "
            f"has its address: `openssl s_client -connect {e.address}:50000 </dev/null`"
        ),
    ),
    Rule(
        "wrong-nic",
        _nic,
        lambda e: f"see the cabling and the addresses of {e.host}: `address` and `macs` in its row, and DHCP",
    ),
)


def _unread(e: Evidence) -> str:
    if e.talos.state != "maintenance" or e.phase not in ("booting", "from-disk") or e.way != "media" or e.handed:
        return ""
    return "Talos has booted its disc, and waits for a configuration instead of reading the one on it"


def _unbegun(e: Evidence) -> str:
    runs = e.phase == "waiting" and e.talos.state == "node"
    return f"Talos runs on as before and does not reset itself: it answers at {e.address}" if runs else ""


def _hangs(e: Evidence) -> str:
    ended = e.phase == "waiting" and e.talos.state in ("silent", "refused", "mute")
    return "Talos has ended its API to reset itself, and hangs before it powers off" if ended else ""


def _spared(e: Evidence) -> str:
    """What else a person may say where disks are to be erased."""
    return ", or accept that its disks may not be erased with --allow unwiped" if "erase" in e.error else ""


LAST: Sequence[Rule] = (
    Rule(
        "reset-unbegun",
        _unbegun,
        lambda e: (
            f"see `talosctl -n {e.address} dmesg`, and reset it by hand: `talosctl -n {e.address} reset`; once it is "
            f"off apply again{_spared(e)}"
        ),
    ),
    Rule(
        "reset-hangs",
        _hangs,
        lambda e: f"look at the console of {e.host} for what it waits for; once it is off apply again{_spared(e)}",
    ),
    Rule(
        "config-unread",
        _unread,
        lambda e: "give the image the kernel argument talos.config=metal-iso: `extra_kernel_args` of the schematic",
    ),
    Rule(
        "api-shut",
        _shut,
        lambda e: f"try `nc -vz {e.address} 50000`; see firewalls on the way, and its console for what it waits for",
    ),
)
"""Told only where nothing else is: a system that boots and does not answer has many causes."""
