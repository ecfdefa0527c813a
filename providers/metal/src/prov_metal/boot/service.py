"""What is served to hosts while they are made, and to whom.

    /TOKEN/HOST.iso    a disc for the BMC's drive, or for the firmware to fetch
    /TOKEN/HOST.efi    the same as one program
    /TOKEN/HOST.yaml   the configuration
    /TOKEN/HOST.ipxe   what iPXE does
    /image/ID/NAME     kernel and initramfs, which are no secret
    /boot.ipxe         sends iPXE on by the address of its network card
    /mac/MAC.ipxe      the script of the host with this card, while it is made
    /boot.efi          the program of the host with the card that was given the address which asks

Whoever knows a token gets what is behind it, again and again, until its host is installed or three hours are over:
Talos asks for its configuration that long. A host that is begun anew has them anew. Afterwards the answer is 410.
There is one service in a process at each address, whoever asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from urllib.parse import quote

from attrs import define, field

from prov_metal.boot import ipxe
from prov_metal.boot.blobs import Blob
from prov_metal.boot.identity import SAID, stranger
from prov_metal.boot.requests import Request, RequestLog
from prov_metal.boot.server import Answer, Asked, Place, listening, place
from prov_metal.boot.tls import Tls, context
from provisioner.sdk import OperatorNeeded

LASTS = timedelta(hours=3)
_MIMES = {
    "iso": "application/octet-stream",
    "efi": "application/efi",
    "yaml": "application/yaml",
    "ipxe": "text/plain",
}
_WHATS = {"iso": "iso", "efi": "uki", "yaml": "config", "ipxe": "script"}


@define
class _Stay:
    """What is served for one host under one token. `since` is from when on it may be asked for."""

    host: str
    since: datetime
    facts: Mapping[str, tuple[str, ...]]
    blobs: dict[str, Blob] = field(factory=dict)
    macs: tuple[str, ...] = ()
    revoked: bool = False


@define
class BootService:
    """Serves at one address; listens from the first thing on that it has to serve.

    card   tells which network card was given an address; empty where nobody knows
    alone  whether another process serves at this address: then nothing is listened to here, and URLs are the same
    """

    where: Place
    tls: Tls | None = None
    alone: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    card: Callable[[str], str] = lambda address: ""
    log: RequestLog = field(init=False, factory=RequestLog)
    _stays: dict[str, _Stay] = field(init=False, factory=dict)
    _images: dict[str, Blob] = field(init=False, factory=dict)
    _server: ThreadingHTTPServer | None = field(init=False, default=None)
    _lock: threading.RLock = field(init=False, factory=threading.RLock)

    def offer(self, host: str, token: str, form: str, make: Callable[[], Blob]) -> str:
        """Where the host's `iso`, `efi`, `yaml` or `ipxe` is served; `make` is asked for it once.

        Raises OperatorNeeded, and what `make` raises.
        """
        with self._lock:
            self.listen()
            stay = self._stay(host, token)
            if stay.revoked:
                stay.revoked, stay.since = False, self.now()
            if form not in stay.blobs and not self.alone:
                stay.blobs[form] = make()
        return self.url(host, token, form)

    def url(self, host: str, token: str, form: str) -> str:
        """Where something of a host's is served, once it is."""
        return f"{self.where.base}/{token}/{quote(host, safe='')}.{form}"

    def offers(self, host: str, token: str, form: str) -> bool:
        """Whether it is served by now, here or by another process."""
        if self.alone:
            return True
        stay = self._stays.get(token)
        return stay is not None and stay.host == host and not stay.revoked and form in stay.blobs

    def knows(self, host: str, token: str, facts: Mapping[str, tuple[str, ...]], macs: tuple[str, ...] = ()) -> None:
        """Whoever says in the query of a URL that it is another machine than this gets nothing.

        facts  by `uuid`, `serial` and `mac`: what the host may say; `macs` lead iPXE to its script.
        """
        with self._lock:
            stay = self._stay(host, token)
            stay.facts, stay.macs = facts, macs

    def image(self, id_: str, name: str, make: Callable[[], Blob]) -> str:
        """Where an image is served, to everybody; raises like `offer`."""
        path = f"/image/{id_}/{quote(name, safe='')}"
        with self._lock:
            self.listen()
            if path not in self._images and not self.alone:
                self._images[path] = make()
        return f"{self.where.base}{path}"

    def renew(self, host: str, token: str) -> None:
        """The host has not been started yet: its time begins now."""
        with self._lock:
            self._stay(host, token).since = self.now()

    def revoke(self, host: str) -> None:
        """The host has what it needs: nothing of it is served any longer, and who asks is told that it is gone."""
        with self._lock:
            for stay in self._stays.values():
                if stay.host == host:
                    stay.revoked, stay.macs = True, ()
                    for blob in stay.blobs.values():
                        blob.close()
                    stay.blobs.clear()

    def requests(self, host: str = "") -> list[Request]:
        """What was asked, oldest first; all, or about a host."""
        return self.log.all(host)

    def listen(self) -> None:
        """Begins to listen if need be; raises OperatorNeeded."""
        with self._lock:
            if self._server is None and not self.alone:
                self._server = listening(self.where, self._answered, context(self.tls))
                threading.Thread(target=self._server.serve_forever, name="boot", daemon=True).start()

    def close(self) -> None:
        """Stops listening; nothing is served any longer."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None
            for blob in (
                *self._images.values(),
                *(blob for stay in self._stays.values() for blob in stay.blobs.values()),
            ):
                blob.close()
            self._images.clear()
            self._stays.clear()

    def _stay(self, host: str, token: str) -> _Stay:
        return self._stays.setdefault(token, _Stay(host, self.now(), {}))

    def _answered(self, asked: Asked) -> Answer:
        with self._lock:
            host, what, status, blob, why = self._found(asked)
        mime = _MIMES.get(asked.path.rpartition(".")[2], "application/octet-stream")

        def sent(final: int, size: int) -> None:
            said = " ".join(f"{name}={value}" for name, value in sorted(asked.query.items()) if name in SAID)
            self.log.add(Request(self.now(), host, what, final, asked.peer, size, why, said[:200]))

        return Answer(status, blob, mime, sent)

    def _found(self, asked: Asked) -> tuple[str, str, int, Blob | None, str]:
        """Host, what it is, status, the thing itself, and why not."""
        match asked.path.split("/")[1:]:
            case ["image", _, name]:
                blob = self._images.get(f"/image/{asked.path.split('/')[2]}/{quote(name, safe='')}")
                what = "initramfs" if "initramfs" in name else "kernel"
                return ("", what, 200, blob, "") if blob else ("", what, 404, None, "there is no such image")
            case ["boot.ipxe"]:
                return "", "menu", 200, Blob.of(ipxe.menu(self.where.base).encode()), ""
            case ["boot.efi"]:
                return self._by_mac(self.card(asked.peer), "efi")
            case ["mac", name]:
                return self._by_mac(name.removesuffix(".ipxe").replace("-", ":").lower(), "ipxe")
            case [token, name]:
                return self._of_host(token, *_parted(name), asked.query)
        return "", "nothing", 404, None, "there is nothing here"

    def _by_mac(self, mac: str, form: str) -> tuple[str, str, int, Blob | None, str]:
        what = _WHATS.get(form, "nothing")
        for stay in self._stays.values():
            if mac in stay.macs and form in stay.blobs and not self._over(stay):
                return stay.host, what, 200, stay.blobs[form], ""
        return "", what, 404, None, f"no host that is made has the network card {mac[:17] or 'of this address'}"

    def _of_host(
        self, token: str, name: str, form: str, query: Mapping[str, str]
    ) -> tuple[str, str, int, Blob | None, str]:
        what = _WHATS.get(form, "nothing")
        stay = self._stays.get(token)
        if stay is None or stay.host != name:
            known = name if any(other.host == name for other in self._stays.values()) else ""
            return known, what, 404, None, "the token is not that of this host"
        if self._over(stay):
            why = "the host is installed" if stay.revoked else "three hours are over"
            return stay.host, what, 410, None, why
        if form not in stay.blobs:
            return stay.host, what, 404, None, "this is not served to the host"
        if why := stranger(query, stay.facts):
            return stay.host, what, 403, None, why
        return stay.host, what, 200, stay.blobs[form], ""

    def _over(self, stay: _Stay) -> bool:
        return stay.revoked or self.now() - stay.since > LASTS


_SERVICES: dict[str, BootService] = {}
_LOCK = threading.Lock()


def service_at(address: str, *, everywhere: bool = False, tls: Tls | None = None, alone: bool = False) -> BootService:
    """The service of this process at an address, made when it is first asked for; raises OperatorNeeded.

    Two provider blocks may share an address if they agree about everything else.
    """
    where = place(address, everywhere=everywhere, secure=tls is not None)
    with _LOCK:
        known = _SERVICES.setdefault(address, BootService(where, tls, alone))
    if (known.where, known.tls, known.alone) != (where, tls, alone):
        raise OperatorNeeded(
            "two provider blocks want to serve at one place in two ways",
            detail=f"{address}: `serve_tls`, `serve_everywhere` or `serve_alone` differ",
            remedy="give each its own port, or make them agree",
        )
    return known


def _parted(name: str) -> tuple[str, str]:
    host, _, form = name.rpartition(".")
    return host, form
