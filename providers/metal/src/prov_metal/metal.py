"""The provider `metal`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_metal import rows
from prov_metal.alone import fetched, serve
from prov_metal.bmc.access import TIMEOUT_S
from prov_metal.bmc.address import parse
from prov_metal.boot.dhcp import DhcpSettings
from prov_metal.boot.dnsmasq import Dnsmasq, dnsmasq_at
from prov_metal.claims import claim
from prov_metal.client import Client
from prov_metal.design import design
from prov_metal.kinds.host import HostKind
from prov_metal.settings import HostRow, MetalNodeOptions, MetalSettings, hosts_of, settings_of
from provisioner.sdk import (
    PROTOCOL,
    AnyKind,
    BootRefs,
    Context,
    Design,
    Endpoint,
    Fetch,
    Function,
    Job,
    Limits,
    Slice,
    Value,
)


@frozen
class MetalProvider:
    """Servers in racks, by way of their management controllers.

    timeout_s   how long these are waited for, in seconds
    answering   gives what answers hosts that boot over the network
    patience_s  how long to wait, in seconds, where the question is whether a controller answers at all
    """

    timeout_s: float = TIMEOUT_S
    answering: Callable[[DhcpSettings, str], Dnsmasq] = dnsmasq_at
    patience_s: float = 3 * TIMEOUT_S

    name: ClassVar[str] = "metal"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = MetalSettings
    node_options: ClassVar[type[Any]] = MetalNodeOptions
    tables: ClassVar[Mapping[str, type[Any]]] = {"inventory": HostRow}
    kinds: ClassVar[Mapping[str, AnyKind]] = {"metal.host": HostKind()}
    functions: ClassVar[Mapping[str, Function]] = {}

    def connect(self, settings: MetalSettings) -> Client:
        """What the kinds share; nothing is opened yet."""
        return Client(settings, self.timeout_s, self.answering, self.patience_s)

    def endpoint(self, part: Slice) -> Endpoint | None:
        """None: a rack has no balancer that could be made; the file names a host."""
        return None

    def claim(self, part: Slice, held: Mapping[str, str]) -> Mapping[str, str]:
        return claim(part.nodes, hosts_of(settings_of(part.settings)), held)

    def design(self, part: Slice, boot: BootRefs) -> Design:
        return design(part, boot)

    def complaints(
        self, settings: Mapping[str, Value], table: str, row: Mapping[str, Value]
    ) -> Iterator[tuple[str, str, str]]:
        """What is wrong with a row of the inventory by itself."""
        yield from rows.complaints(settings, row)

    def single(self, table: str, row: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """A BMC, an address, a network card and a chassis are in one place only."""
        yield from rows.single(row)

    def serve(self, client: Client, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, str]:
        return serve(client, jobs, ctx)

    def fetched(self, client: Client) -> Sequence[Fetch]:
        return fetched(client)

    def limits(self, settings: Mapping[str, Value]) -> Limits:
        """One call at a time to each BMC, and as long a rest after it: they are small computers."""
        return Limits(in_flight=1, rest=1.0)

    def called_at(self, job: Job[Any, Any]) -> str:
        props = job.wanted or job.applied
        return parse(props.bmc).base if props is not None else ""


provider = MetalProvider()
