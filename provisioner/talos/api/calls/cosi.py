"""Reading resources of a machine: the COSI state."""

from __future__ import annotations

from typing import Any

import yaml
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.talos.api._wire import cosi_grpc, cosi_pb2

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STATUS = ("runtime", "MachineStatuses.runtime.talos.dev", "machine")
BOOT_ID = ("runtime", "BootIDs.runtime.talos.dev", "boot-id")
ACTIVE_CONFIG = ("config", "MachineConfigs.config.talos.dev", "v1alpha1")
SYSTEM = ("hardware", "SystemInformations.hardware.talos.dev", "systeminformation")
SYSTEM_DISK = ("runtime", "SystemDisks.block.talos.dev", "system-disk")
LINKS = ("network", "LinkStatuses.net.talos.dev")
DISKS = ("runtime", "Disks.block.talos.dev")
SYSTEM_DISK = ("runtime", "SystemDisks.block.talos.dev", "system-disk")
VOLUMES = ("runtime", "DiscoveredVolumes.block.talos.dev")
PERSISTENT_CONFIG = ("config", "MachineConfigs.config.talos.dev", "persistent")


async def get(channel: Channel, what: tuple[str, str, str]) -> Any:
    """The YAML spec of one resource, decoded; None where there is none.

    `what` is namespace, type and id. A machine configuration is one string: its whole text.
    """
    namespace, kind, name = what
    request = cosi_pb2.GetRequest(namespace=namespace, type=kind, id=name)
    try:
        answer = await cosi_grpc.StateStub(channel).Get(request)
    except GRPCError as err:
        if err.status is Status.NOT_FOUND:
            return None
        raise
    return yaml.load(answer.resource.spec.yaml_spec, Loader=_Loader)  # noqa: S506  (a safe loader)


async def listed(channel: Channel, what: tuple[str, str]) -> dict[str, Any]:
    """The YAML specs of all resources of a type, decoded, by id. `what` is namespace and type."""
    namespace, kind = what
    answers = await cosi_grpc.StateStub(channel).List(cosi_pb2.ListRequest(namespace=namespace, type=kind))
    return {
        answer.resource.metadata.id: yaml.load(answer.resource.spec.yaml_spec, Loader=_Loader) or {}  # noqa: S506
        for answer in answers
    }
