"""All that a cluster file can say under `machine:` and `kubernetes:`, and the patches it becomes.

A patch is merged into the generated configuration like one of the user's own, before those. Each section makes one,
so that none has the same document twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from provisioner.sdk import Path, Value
from provisioner.talos.config.documents.certificate_sans import CERTIFICATE_SANS
from provisioner.talos.config.documents.control_plane_scheduling import CONTROL_PLANE_SCHEDULING
from provisioner.talos.config.documents.discovery import DISCOVERY
from provisioner.talos.config.documents.environment import ENVIRONMENT
from provisioner.talos.config.documents.etcd import ETCD
from provisioner.talos.config.documents.extension_service import EXTENSION_SERVICES
from provisioner.talos.config.documents.kernel_module import KERNEL_MODULES
from provisioner.talos.config.documents.kube_cni import KUBE_CNI
from provisioner.talos.config.documents.kube_network import KUBE_NETWORK
from provisioner.talos.config.documents.kube_proxy import KUBE_PROXY
from provisioner.talos.config.documents.kubelet import KUBELET
from provisioner.talos.config.documents.kubespan import KUBESPAN
from provisioner.talos.config.documents.network import NETWORK
from provisioner.talos.config.documents.network_rules import NETWORK_RULES
from provisioner.talos.config.documents.node_registration import NODE_REGISTRATION
from provisioner.talos.config.documents.registries import REGISTRIES
from provisioner.talos.config.documents.resolver import RESOLVER
from provisioner.talos.config.documents.static_host import HOSTS
from provisioner.talos.config.documents.sysctl import SYSCTLS
from provisioner.talos.config.documents.sysfs import SYSFS
from provisioner.talos.config.documents.time_sync import TIME
from provisioner.talos.config.documents.udev_rules import UDEV_RULES
from provisioner.talos.config.documents.unattended_install import INSTALL
from provisioner.talos.config.documents.volumes import VOLUMES
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target
from provisioner.talos.settings.shape import Key, Many, Named, Shape, Table
from provisioner.talos.versions import KNOWN, Contract

_OTHERWISE = "take it out, or use a cluster born with a release that has it"


@frozen
class Area:
    """One top-level key of the cluster file, `called` so, with all its settings."""

    called: str
    sections: tuple[Section, ...]
    table: Table = field(init=False)

    @table.default
    def _all_keys(self) -> Table:
        return Table({key: shape for section in self.sections for key, shape in section.keys.items()})

    def patches(self, settings: Settings, target: Target) -> Iterator[tuple[Document, ...]]:
        """The patches for a node, in the order they apply; the settings are without complaints."""
        for section in self.sections if settings else ():
            made = tuple(section.compile(settings, target))
            if made:
                yield made

    def complaints(self, settings: Settings) -> Iterator[Complaint]:
        """What is wrong with settings whatever the release is: parts that are missing, or do not go together."""
        yield from _missing(self.table, settings, (), self.called)
        for section in self.sections:
            yield from section.judge(settings)

    def limits(self, settings: Settings, contract: Contract) -> Iterator[Complaint]:
        """What no configuration of this contract can express."""
        yield from _unasked(self.table, settings, (), contract)
        for section in self.sections:
            yield from section.limits(settings, contract)

    def for_role(self, settings: Settings, *, leads: bool) -> Settings:
        """What is left of settings that all nodes get: what is for control planes is none of a worker's business."""
        return {key: value for key, value in settings.items() if leads or not self.table.keys[key].leads}


MACHINE_SETTINGS = Area(
    "machine",
    (
        NETWORK,
        RESOLVER,
        HOSTS,
        TIME,
        KUBESPAN,
        DISCOVERY,
        INSTALL,
        VOLUMES,
        REGISTRIES,
        KERNEL_MODULES,
        SYSCTLS,
        SYSFS,
        UDEV_RULES,
        ENVIRONMENT,
        EXTENSION_SERVICES,
        NETWORK_RULES,
        NODE_REGISTRATION,
        KUBELET,
        ETCD,
        CERTIFICATE_SANS,
    ),
)
KUBERNETES_SETTINGS = Area("kubernetes", (KUBE_NETWORK, KUBE_CNI, KUBE_PROXY, CONTROL_PLANE_SCHEDULING))


def _missing(shape: Shape, value: Value, path: Path, called: str) -> Iterator[Complaint]:
    if isinstance(shape, Table) and isinstance(value, Mapping):
        for name, key in shape.keys.items():
            if key.required and name not in value:
                yield Complaint(path, f"{path[-1] if path else called} has no {name!r}", f"add `{name}:`")
    for part, inner, below in _parts(shape, value):
        yield from _missing(part, inner, (*path, below), called)


def _unasked(shape: Shape, value: Value, path: Path, contract: Contract) -> Iterator[Complaint]:
    if isinstance(shape, Table) and isinstance(value, Mapping):
        for name, key in shape.keys.items():
            if name in value and key.needs is not None and not key.needs(contract):
                yield Complaint((*path, name), _refusal(name, key, contract), key.instead or _OTHERWISE)
    for part, inner, below in _parts(shape, value):
        yield from _unasked(part, inner, (*path, below), contract)


def _parts(shape: Shape, value: Value) -> Iterator[tuple[Shape, Value, str | int]]:
    """What is below a value, with its shape and key."""
    match shape:
        case Table() if isinstance(value, Mapping):
            yield from ((shape.keys[name].shape, item, name) for name, item in value.items())
        case Named() if isinstance(value, Mapping):
            yield from ((shape.item, item, name) for name, item in value.items())
        case Many() if isinstance(value, tuple):
            yield from ((shape.item, item, number) for number, item in enumerate(value))
        case _:
            return


def _refusal(name: str, key: Key, contract: Contract) -> str:
    having = [each for each in KNOWN if key.needs is not None and key.needs(each)]
    later = any(each > contract for each in having)
    when = f"from {having[0]} on there is one" if later else f"up to {having[-1]} there was one"
    return f"the configuration of Talos {contract} has no place for {name!r}; {when}"
