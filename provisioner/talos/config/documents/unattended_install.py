"""The `UnattendedInstallConfig` document: the disk that Talos is put on.

It says something only about machines that are installed by their configuration; where an image boots in place, the
disk is the one with the image. Source: siderolabs/talos v1.14, `types/runtime/unattended_install.go`; for the root
document `InstallConfig` of v1.11 and v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.config.documents.disk_choice import KEYS, PATTERNS, disk_match, judge_choice
from provisioner.talos.settings.expression import expression
from provisioner.talos.settings.forms import FLAG, TEXT
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    document,
    items,
    present,
    renamed,
    table,
)
from provisioner.talos.settings.shape import Key, Many, Table

_DISK = Table(
    {
        **KEYS,
        "match": Key(
            expression("disk"),
            "over `disk`, instead of everything else",
            needs=lambda contract: contract.installs_by_document,
            instead="use `size`, `type`, `model` and the like",
        ),
    },
    short="device",
    whole=True,
)
_INSTALL = Key(
    Table(
        {
            "disk": Key(_DISK, "the disk; a device is short for `{device: …}`"),
            "wipe": Key(FLAG, "whether all of the disk is cleared first"),
            "kernel_args": Key(
                Many(TEXT),
                "further arguments for the kernel",
                needs=lambda contract: not contract.installs_by_document,
                instead="give them to the image: talos.schematic.extra_kernel_args",
            ),
        }
    ),
    "how Talos is put on the disk, on machines that do not boot from an image on it",
)
_LEGACY = {
    "size": "size",
    "type": "type",
    **{key: {"bus_path": "busPath"}.get(key, key) for key in PATTERNS},
}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    install = table(settings, "install")
    if not install or not target.installs:
        return
    if target.contract.installs_by_document:
        match = present(match=disk_match(table(install, "disk")))
        fields = present(diskSelector=match, wipe=install.get("wipe"))
        yield document("UnattendedInstallConfig", provisioning=fields)
    else:
        yield {"machine": {"install": _legacy(install, target)}}


def _legacy(install: Settings, target: Target) -> dict[str, Value]:
    disk = table(install, "disk")
    selector = renamed(disk, _LEGACY)
    arguments = items(install, "kernel_args")
    # The disk that was generated gives way to the selector, and the image's own command line to further arguments.
    device: Value = {"$patch": "delete"} if selector else disk.get("device")
    own = False if arguments and target.contract.boots_with_command_line_of_image else None
    return present(
        disk=device,
        diskSelector=selector,
        wipe=install.get("wipe"),
        extraKernelArgs=arguments or None,
        grubUseUKICmdline=own,
    )


def _judge(settings: Settings) -> Iterator[Complaint]:
    yield from judge_choice(table(table(settings, "install"), "disk"), "install", "disk")


INSTALL = Section({"install": _INSTALL}, _compile, _judge)
