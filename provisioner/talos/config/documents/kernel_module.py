"""The `KernelModuleConfig` document: a module that is loaded at boot.

Source: siderolabs/talos v1.14, `types/runtime/kernel_module.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, items, present, tables
from provisioner.talos.settings.shape import Key, Many, Named, Table

_MODULES = Key(
    Named(TEXT, Table({"parameters": Key(Many(TEXT), "such as `nr_devices=1`")})),
    "modules that are loaded at boot, by name; `{}` where there are no parameters",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    modules = [(name, items(each, "parameters") or None) for name, each in tables(settings, "kernel_modules")]
    if target.contract.runtime_documents:
        for name, parameters in modules:
            yield document("KernelModuleConfig", name, parameters=parameters)
    elif modules:
        entries = tuple(present(name=name, parameters=parameters) for name, parameters in modules)
        yield {"machine": {"kernel": {"modules": entries}}}


KERNEL_MODULES = Section({"kernel_modules": _MODULES}, _compile)
