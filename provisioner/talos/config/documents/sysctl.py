"""The `SysctlConfig` document: settings of the kernel.

Source: siderolabs/talos v1.14, `types/runtime/sysctl.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import LOOSE, TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, table
from provisioner.talos.settings.shape import Key, Named

_SYSCTLS = Key(Named(TEXT, LOOSE), "settings of the kernel, such as `vm.max_map_count: 262144`")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    sysctls = table(settings, "sysctls")
    if not sysctls:
        return
    if target.contract.runtime_documents:
        yield document("SysctlConfig", params=sysctls)
    else:
        yield {"machine": {"sysctls": sysctls}}


SYSCTLS = Section({"sysctls": _SYSCTLS}, _compile)
