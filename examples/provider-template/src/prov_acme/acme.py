"""Who the provider is, and how it connects.

The module is not called `provider`, so that `prov_acme.provider` is never a module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from prov_acme.client import Acme
from prov_acme.cloud import Cloud
from prov_acme.design import design, endpoint
from prov_acme.kinds.address import AddressKind
from prov_acme.kinds.disk import DiskKind
from prov_acme.kinds.machine import MachineKind
from prov_acme.settings import NodeOptions, Settings
from provisioner.sdk import PROTOCOL, AnyKind, BootRefs, Design, Endpoint, Function, OperatorNeeded, Slice


class AcmeProvider:
    """Machines of Acme."""

    name: ClassVar[str] = "acme"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = Settings
    node_options: ClassVar[type[Any]] = NodeOptions
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "acme.address": AddressKind(),
        "acme.disk": DiskKind(),
        "acme.machine": MachineKind(),
    }
    functions: ClassVar[Mapping[str, Function]] = {}

    def connect(self, settings: Settings) -> Acme:
        """The only place that reads credentials; nothing is asked yet."""
        token = os.environ.get("ACME_TOKEN", "")
        if not token:
            raise OperatorNeeded(
                "there are no credentials for Acme", detail="ACME_TOKEN is not set", remedy="set ACME_TOKEN"
            )
        return Acme(Cloud(Path(settings.folder), token))

    def endpoint(self, part: Slice) -> Endpoint | None:
        return endpoint(part)

    def design(self, part: Slice, boot: BootRefs) -> Design:
        return design(part, boot)
