"""The provider `sim`.

It stands in a module of another name than its own, so that `prov_sim.provider` is never the module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from prov_sim.control import Control
from prov_sim.design import design, endpoint
from prov_sim.kinds.balancer import BalancerKind
from prov_sim.kinds.machine import MachineKind
from prov_sim.owned import list_owned
from prov_sim.settings import SimNodeOptions, SimSettings
from provisioner.sdk import PROTOCOL, AnyKind, BootRefs, Context, Design, Endpoint, Function, Owned, Slice


class SimProvider:
    """Simulated machines on this computer; nothing it makes outlives the daemon that holds it."""

    name: ClassVar[str] = "sim"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = SimSettings
    node_options: ClassVar[type[Any]] = SimNodeOptions
    kinds: ClassVar[Mapping[str, AnyKind]] = {"sim.machine": MachineKind(), "sim.balancer": BalancerKind()}
    functions: ClassVar[Mapping[str, Function]] = {}

    def connect(self, settings: SimSettings) -> Control:
        """The client of the daemon the settings name; touches nothing."""
        return Control.named(settings.daemon)

    def list_owned(self, client: Control, ctx: Context) -> Sequence[Owned]:
        """What the daemon holds for anybody, machines before balancers; nothing where none runs."""
        return list_owned(client)

    def endpoint(self, part: Slice) -> Endpoint | None:
        return endpoint(part)

    def design(self, part: Slice, boot: BootRefs) -> Design:
        return design(part, boot)


provider = SimProvider()
