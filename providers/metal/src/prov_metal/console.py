"""What a host says on its serial console, and the fingerprint of its key among it.

A machine in maintenance prints, from Talos 1.3 on,

    [    9.858176] [talos] server certificate issued {"component": "controller-runtime", "controller":
    "runtime.MaintenanceServiceController", "fingerprint": "rMWhs9V9Y30sbs9W5KNCgVRReKGrfvV0FwMtqEX4OW8="}

in one line, again whenever it makes a new key; up to 1.12 the controller is that one, from 1.13 on it is
`MaintenanceServiceInformController`. The fingerprint is base64 of the SHA-256 of the SubjectPublicKeyInfo. Source:
siderolabs/talos, `internal/app/machined/pkg/controllers/runtime/maintenance_service.go` and
`maintenance_service_inform.go`; siderolabs/crypto, `x509.Fingerprint`.

Other lines carry texts that others choose, such as a host name from DHCP. So only this line counts, as a whole:
within a field of another one its quotes would be escaped. The hint with `--cert-fingerprint` is not looked at.
"""

from __future__ import annotations

import base64
import re
import socket
import threading
from urllib.parse import urlsplit

from attrs import define, field

KEPT = 64 * 1024
"""Bytes of a console that are kept."""
_CONNECT_S = 5.0
_AGAIN_S = 2.0
_CHUNK = 4096

_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x1a\x1c-\x20\x7f-\x9f]+"  # line breaks of a terminal of eighty columns, and blanks with them
)
_ISSUED = re.compile(
    r"\[talos\]servercertificateissued\{"
    r'"component":"controller-runtime","controller":"runtime\.MaintenanceService(?:Inform)?Controller",'
    r'"fingerprint":"([A-Za-z0-9+/]{43}=)"\}'
)
_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[\xf0-\xf9])", re.DOTALL)


def key_on(text: str) -> str:
    """The fingerprint that was printed last; empty where none was.

    Colours, cursor movements and line breaks in the middle of a word are overlooked.
    """
    found = _ISSUED.findall(_CONTROLS.sub("", text))
    return found[-1] if found and len(base64.b64decode(found[-1])) == 32 else ""


@define
class TcpConsole:
    """A serial console behind a TCP port, as console servers and emulators offer it; has the ability `HasConsole`.

    Listening begins with the first question and goes on in a thread; a connection that ends is made again.
    """

    address: str
    """tcp://HOST:PORT"""
    _heard: bytearray = field(init=False, factory=bytearray)
    _spoken: int = field(init=False, default=0)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _listens: bool = field(init=False, default=False)
    _end: threading.Event = field(init=False, factory=threading.Event)

    def tail(self) -> str:
        """The last 64 KiB of what was written since listening began, which is when this is first asked."""
        with self._lock:
            if not self._listens:
                self._listens = True
                threading.Thread(target=self._listen, name=f"console {self.address}", daemon=True).start()
            return _TELNET.sub(b"", bytes(self._heard)).decode(errors="replace")

    def spoken(self) -> int:
        """Bytes written since listening began, without what each connection begins with."""
        with self._lock:
            return self._spoken

    def close(self) -> None:
        """Listens no longer."""
        self._end.set()

    def _listen(self) -> None:
        parts = urlsplit(self.address)
        while not self._end.is_set():
            try:
                with socket.create_connection((parts.hostname or "", parts.port or 0), _CONNECT_S) as wire:
                    wire.settimeout(_AGAIN_S)
                    self._hear(wire)
            except OSError:
                pass
            self._end.wait(_AGAIN_S)

    def _hear(self, wire: socket.socket) -> None:
        greets = True
        while not self._end.is_set():
            try:
                data = wire.recv(_CHUNK)
            except TimeoutError:
                greets = False
                continue
            if not data:
                return
            with self._lock:
                self._spoken += 0 if greets else len(data)
                greets = greets and len(data) == _CHUNK
                self._heard += data
                del self._heard[:-KEPT]
