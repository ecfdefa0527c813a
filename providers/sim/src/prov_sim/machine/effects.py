"""Which changes of a configuration a running machine takes over at once, and which wait for a boot.

Until 1.13 Talos looks at the v1alpha1 document only, and reboots by itself. From 1.14 it takes everything over
as it is; what does not look at it again until the next boot is told in the descriptions of the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.release import Release
from prov_sim.machine.words import words

_LIVE_MACHINE: Final = words("""
    ca acceptedCAs time certSANs install network sysfs sysctls logging controlPlane kubelet kernel registries
    pods seccompProfiles nodeLabels nodeAnnotations nodeTaints
    """)
_LIVE_FEATURES: Final = words("kubernetesTalosAPIAccess kubePrism hostDNS imageCache nodeAddressSortAlgorithm")

_AT_BOOT: Final = words("""
    cluster.etcd machine.env machine.type machine.systemDiskEncryption machine.features.diskQuotaSupport
    """)
_DOCUMENTS_AT_BOOT: Final = words("EnvironmentConfig SecurityProfileConfig")
"""What waits for a boot from 1.14, as far as prov has to know; the rest is no part of a simulation."""


def changed(old: MachineConfig, new: MachineConfig) -> tuple[str, ...]:
    """The places that differ: `machine.X`, `machine.features.X`, `cluster.X`, `debug`, or a document's kind."""
    places = [
        place
        for section in ("machine", "cluster")
        for name in _differing(old.get(section), new.get(section))
        for place in _places(section, name, old, new)
    ]
    places += [name for name in _differing(old.root, new.root) if name not in ("machine", "cluster")]
    before, after = _by_identity(old), _by_identity(new)
    return (*places, *_differing(before, after))


def reboot_reasons(places: tuple[str, ...], release: Release) -> tuple[str, ...]:
    """Those of the changed places that wait for a boot of a machine of this release."""
    return tuple(place for place in places if _waits(place, release))


def _waits(place: str, release: Release) -> bool:
    if not release.reboots_by_itself:
        return place in _AT_BOOT or place.partition(" ")[0] in _DOCUMENTS_AT_BOOT
    section, _, rest = place.partition(".")
    if section == "machine":
        name, _, feature = rest.partition(".")
        return feature not in _LIVE_FEATURES if name == "features" else name not in _LIVE_MACHINE
    return section in ("version", "persist")


def _places(section: str, name: str, old: MachineConfig, new: MachineConfig) -> Iterator[str]:
    if (section, name) != ("machine", "features"):
        yield f"{section}.{name}"
        return
    for feature in _differing(old.get("machine", "features"), new.get("machine", "features")):
        yield f"machine.features.{feature}"


def _by_identity(config: MachineConfig) -> dict[str, Any]:
    return {f"{item['kind']} {item.get('name', '')}".strip(): item for item in config.documents}


def _differing(old: Any, new: Any) -> list[str]:
    before: Mapping[str, Any] = old if isinstance(old, Mapping) else {}
    after: Mapping[str, Any] = new if isinstance(new, Mapping) else {}
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
