"""The faults that are injected into a rack, by the name that somebody who knows about it would give them.

Each is a cause and has the symptoms that it has on real machines; nothing tells prov what it is. Where a BMC speaks,
its words are of DMTF's Base registry or of a vendor's, as reported: RAC0904 in dell/iDRAC-Redfish-Scripting 265,
RAC0218 in quadsproject/badfish 447.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, field, frozen
from beds.rack import talos_says
from beds.rack.rack import Rack
from beds.rack.segment import INTERFACE
from beds.rack.trouble import HEALTHY, Trouble

_URL_REFUSED = (400, "IDRAC.2.8.RAC0904", "The remote file location is not accessible or reachable.")
_MEDIA_REFUSED = (
    400,
    "Base.1.8.ActionNotSupported",
    "The action VirtualMedia.InsertMedia is not supported by the resource.",
)
_INSTALLING = "[talos] task install (1/1): installing Talos to disk /dev/sda"
_BAD_CLOCK = (
    'failed to pull image "factory.talos.dev/metal-installer/376567988ad3:v1.13.9": failed to do request: '
    'Head "https://factory.talos.dev/v2/": tls: failed to verify certificate: x509: certificate has expired or is '
    "not yet valid: current time 2015-01-01T00:01:12Z is before 2026-11-20T08:00:00Z"
)
_NO_REGISTRY = (
    'failed to pull image "factory.talos.dev/metal-installer/376567988ad3:v1.13.9": failed to do request: '
    'Head "https://factory.talos.dev/v2/": dial tcp: lookup factory.talos.dev on 10.0.0.53:53: no such host'
)
_UNKNOWN_KEYS = "unknown keys found during decoding:\nmachine:\n    install:\n        grubUseUKICmdline: true"
_NETWORK: Mapping[str, Any] = {
    "trust": "network",
    "boot": ["network"],
    "dhcp": {"interface": INTERFACE, "proxy": "127.0.0.0"},
}
_HTTP: Mapping[str, Any] = {"trust": "network", "boot": ["http"], "serve_alone": True}


def _nothing(rack: Rack) -> None:
    """Nothing more is to be done."""


def _deaf(rack: Rack) -> None:
    rack.segment.deaf = True


def _no_tftp(rack: Rack) -> None:
    rack.segment.no_tftp = True


def _other_card(rack: Rack) -> None:
    """The card in the machine is not the one of the row, which was written before."""
    rack.rows["r1u1"]["macs"] = ["52:54:00:00:0a:0b"]


def _same_board(rack: Rack) -> None:
    first, second = rack.servers["r1u1"], rack.servers["r1u2"]
    second.plate = evolve(second.plate, uuid=first.plate.uuid)


def _another_server(rack: Rack) -> None:
    """Something else answers at the place where prov believes its own service to be."""
    host, _, port = rack.serve.rpartition(":")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rack.ends.append(server.shutdown)
    rack.ends.append(server.server_close)


@frozen
class Fault:
    """`troubles` are of the servers in their order; `more` does what there is beyond; `block` is of the provider.

    control  how many control planes there are
    foreign  there is another system on the disks
    tls      BMCs show a certificate that nobody knows
    """

    name: str
    troubles: tuple[Trouble, ...] = (HEALTHY,)
    more: Callable[[Rack], None] = _nothing
    block: Mapping[str, Any] = field(factory=dict)
    control: int = 1
    foreign: bool = False
    tls: bool = False


def _of(name: str, trouble: Trouble = HEALTHY, **more: Any) -> Fault:
    return Fault(name, (trouble,), **more)


def _install(*said: str, why: str) -> Trouble:
    return Trouble(installer_says=(*said, *talos_says.install_failed(why)))


FAULTS = (
    _of("BMC unreachable", Trouble(deaf="refuses")),
    _of("wrong password", Trouble(password="another")),
    _of("session table full", Trouble(sessions_full=True)),
    _of("certificate wrong", tls=True),
    _of("frozen", Trouble(deaf="mute")),
    _of("slow", Trouble(slow_s=0.9)),
    _of("lying about power", Trouble(says_power=False)),
    _of("reset ignored", Trouble(switch_is_dead=True)),
    _of("media refused", Trouble(insert_says=_MEDIA_REFUSED)),
    _of("media not visible to the host", Trouble(drive_is_unseen=True), foreign=True),
    _of("URL refused", Trouble(insert_says=_URL_REFUSED)),
    _of("eject late", Trouble(ejects_after_s=86_400.0)),
    _of("boot override ignored", Trouble(ignores_override=True), foreign=True),
    _of("wrong boot order", Trouble(order=("network",))),
    _of("secure boot refuses the image", Trouble(secure_boot=True)),
    _of("DHCP silent", more=_deaf, block=_NETWORK),
    _of("TFTP lost", more=_no_tftp, block=_NETWORK),
    _of("HTTP 404", more=_another_server, block=_HTTP),
    _of("config refused", Trouble(complaint=_UNKNOWN_KEYS)),
    _of("config for another host", Trouble(says_uuid="6ae7f5b2-0000-4000-8000-00000000ffff"), block=_NETWORK),
    _of("MAC unknown", more=_other_card, block=_NETWORK),
    Fault("duplicate UUID", (HEALTHY, HEALTHY), more=_same_board, control=2),
    _of("disk missing", _install(why="lstat /dev/sda: no such file or directory")),
    _of(
        "disk read-only",
        _install("sd 0:0:0:0: [sda] Write Protect is on", _INSTALLING, why='task "upgrade" failed: exit code 1'),
    ),
    _of("Talos left over", Trouble(left_over=True)),
    _of("install loops", Trouble(order=("cd", "disk"), forgets_installation=True)),
    _of(
        "panic",
        Trouble(
            panics=(
                "mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: b200000000070f0f",
                "Kernel panic - not syncing: Fatal machine check",
                "---[ end Kernel panic - not syncing: Fatal machine check ]---",
            )
        ),
    ),
    _of("wrong NIC", Trouble(system_says=talos_says.reachable("192.168.77.20"), api_is_shut=True)),
    _of(
        "clock years off",
        _install(
            "rtc_cmos 00:01: setting system clock to 2015-01-01T00:00:41 UTC (1420070441)",
            _INSTALLING,
            why=_BAD_CLOCK,
        ),
    ),
    _of("API never opens", Trouble(api_is_shut=True)),
    Fault("etcd never joins", (HEALTHY, HEALTHY, Trouble(etcd_waits=True)), control=3),
)
"""As the list of what prov has to know has them."""

UNLISTED = (
    _of("the registry's name is not known", _install(_INSTALLING, why=_NO_REGISTRY)),
    _of("the self test never ends", Trouble(hangs=True)),
    _of("a firmware that does not take boot orders", Trouble(boot_says=(400, "Base.1.8.GeneralError", "Try later?"))),
)
"""What prov has no rule for: it may say what it sees, and no cause."""
