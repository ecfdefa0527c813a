"""The `UdevRulesConfig` document: what is done with devices that appear.

Source: siderolabs/talos v1.14, `types/runtime/udev_rules.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, items
from provisioner.talos.settings.shape import Key, Many

_UDEV = Key(Many(TEXT), "rules for devices that appear")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    rules = items(settings, "udev_rules")
    if not rules:
        return
    if target.contract.runtime_documents:
        yield document("UdevRulesConfig", rules=rules)
    else:
        yield {"machine": {"udev": {"rules": rules}}}


UDEV_RULES = Section({"udev_rules": _UDEV}, _compile)
