"""What the kinds of one provider instance share: a wire per BMC, the boot service, images."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field

from prov_metal.bmc.access import TIMEOUT_S, Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import Bmc, HasConsole
from prov_metal.bmc.drivers import driver
from prov_metal.boot.dhcp import DhcpSettings
from prov_metal.boot.dnsmasq import Dnsmasq, dnsmasq_at
from prov_metal.boot.service import BootService, service_at
from prov_metal.console import TcpConsole
from prov_metal.deadlines import Watch
from prov_metal.diagnosis.evidence import Reach, Shown
from prov_metal.diagnosis.reach import reach, status_of
from prov_metal.diagnosis.shown import shown
from prov_metal.kinds.props import HostProps
from prov_metal.looks import Looks
from prov_metal.met import Met
from prov_metal.settings import MetalSettings, dhcp_of, tls_of
from provisioner.sdk import Context, Downloads, Finished, Secret, cache_folder


@define
class Client:
    """Opens nothing before it is needed."""

    settings: MetalSettings
    timeout_s: float = TIMEOUT_S
    answering: Callable[[DhcpSettings, str], Dnsmasq] = dnsmasq_at
    patience_s: float = 3 * TIMEOUT_S
    watch: Watch = field(init=False, factory=Watch)
    serves: bool = field(init=False, default=False)
    """Whether this process is the one that serves alone."""
    served: set[str] = field(init=False, factory=set)
    """The hosts that it serves."""
    ready: set[str] = field(init=False, factory=set)
    """The hosts for which this process has made ready what they boot."""
    met: Met = field(init=False, factory=Met)
    looks: Looks = field(init=False, factory=Looks)
    _images: dict[str, Path] = field(init=False, factory=dict)
    _bmcs: dict[Access, Bmc] = field(init=False, factory=dict)
    _consoles: dict[str, TcpConsole] = field(init=False, factory=dict)
    _listening: dict[str, datetime] = field(init=False, factory=dict)
    _serving: dict[str, datetime] = field(init=False, factory=dict)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def bmc(self, props: Any) -> Bmc:
        """The BMC that a host's properties describe; another one for another user or password."""
        access = Access(
            parse(props.bmc),
            props.username or self.settings.username,
            props.password or self.settings.password or Secret(""),
            self.settings.ca,
            props.fingerprint,
            props.verify,
            self.timeout_s,
        )
        with self._lock:
            if access not in self._bmcs:
                self._bmcs[access] = driver(access)
            return self._bmcs[access]

    @property
    def boot(self) -> BootService:
        """What serves hosts at the address of this provider block; raises OperatorNeeded."""
        settings = self.settings
        return service_at(
            settings.serve,
            everywhere=settings.serve_everywhere,
            tls=tls_of(settings),
            alone=self.elsewhere,
        )

    @property
    def elsewhere(self) -> bool:
        """Whether another process serves hosts, and has the logs of that."""
        return self.settings.serve_alone and not self.serves

    @property
    def dhcp(self) -> Dnsmasq | None:
        """What answers hosts that boot over the network, None where others do; raises ProvError."""
        found = dhcp_of(self.settings)
        return None if found is None or self.elsewhere else self.answering(found, self.boot.where.base)

    def fetched(self, ctx: Context, place: str) -> Path | None:
        """A file from a URL or a place of this computer, looked at once in a run; None while it is on its way."""
        if "://" not in place:
            return Path(place)
        if place not in self._images:
            fetch = Downloads(cache_folder(os.environ)).fetch
            task = ctx.task(f"fetch {place}", lambda: fetch(place))
            if not isinstance(task, Finished):
                return None
            self._images[place] = task.value.path
        return self._images[place]

    def console(self, props: Any) -> HasConsole | None:
        """What hears the host's serial console: what its row names, else its BMC; None where that cannot."""
        if props.console:
            with self._lock:
                return self._consoles.setdefault(props.console, TcpConsole(props.console))
        bmc = self.bmc(props)
        return bmc if isinstance(bmc, HasConsole) else None

    def listening(self, host: str, now: datetime) -> datetime:
        """Since when this process listens to the host's console; from now on where it did not."""
        with self._lock:
            return self._listening.setdefault(host, now)

    def serving(self, host: str, now: datetime) -> datetime:
        """Since when this process serves the host; from now on where it did not. Another process always did."""
        if self.elsewhere:
            return datetime.min.replace(tzinfo=UTC)
        with self._lock:
            return self._serving.setdefault(host, now)

    def is_node(self, props: HostProps) -> bool:
        """Whether a node of the cluster answers at the host's address, and runs from its disk."""
        # Loaded here because gRPC takes its time, and only a host that is about to become a node needs it.
        from provisioner.talos.api.reader import runs_from_disk

        pair = (props.authority, str(props.authority_key.reveal()))
        ca, key = (base64.b64decode(text).decode() for text in pair)
        return runs_from_disk(props.address, ca, key, now=datetime.now(UTC))

    def reach(self, bmc: str) -> Reach:
        """How the BMC at an address of the inventory takes a connection, with more than the usual patience."""
        return reach(parse(bmc).base, usual_s=self.timeout_s, patience_s=self.patience_s)

    def status_of(self, url: str) -> int:
        """The status with which a URL of ours is answered; 0 where nobody answers."""
        return status_of(url, timeout_s=self.timeout_s)

    def shown(self, address: str, authority: str, at_most_s: float = TIMEOUT_S) -> Shown:
        """What answers at the address of a node, see `is_node`; waited for so long at most."""
        pem = base64.b64decode(authority).decode()
        return shown(address, pem, timeout_s=min(self.timeout_s, at_most_s))
