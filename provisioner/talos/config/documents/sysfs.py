"""The `SysfsConfig` document: settings of devices and drivers.

Source: siderolabs/talos v1.14, `types/runtime/sysfs.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import LOOSE, TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, table
from provisioner.talos.settings.shape import Key, Named

_SYSFS = Key(Named(TEXT, LOOSE), "settings of devices, by their path below `/sys` with dots")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    sysfs = table(settings, "sysfs")
    if not sysfs:
        return
    if target.contract.runtime_documents:
        yield document("SysfsConfig", params=sysfs)
    else:
        yield {"machine": {"sysfs": sysfs}}


SYSFS = Section({"sysfs": _SYSFS}, _compile)
