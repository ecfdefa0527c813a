"""Rules about what is put onto a machine: images, and the disk they go to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.cluster.lint.subject import Complaint, Subject, all_leaves, at, of_kind, root_of, text
from provisioner.cluster.places import label
from provisioner.cluster.stages import Staged
from provisioner.model.value import Value

_FLOATING = frozenset({"latest", "main", "master", "edge", "nightly", "stable"})
_DEVICE = re.compile(r"""^\s*disk\.dev_path\s*==\s*["'](?P<disk>[^"']+)["']\s*$""")
_PATTERNS = ("ImageVerificationConfig",)
"""Documents in which `image` is a pattern."""


def floating_tag(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """An image without a tag, or with one that moves such as `latest`, is another one tomorrow.

    Nodes that are born later then run something else than their neighbours, and nobody can say what a plan installs.
    """
    for identity, path, leaf in all_leaves(node):
        image = text(leaf)
        if path[-1] == "image" and image and identity.kind not in _PATTERNS and _floats(image):
            yield Complaint(
                f"{label(identity, path)} is {image}",
                subject.place(node, leaf),
                "name a release, such as `:v1.2.3`, or a digest",
            )


def _floats(image: str) -> bool:
    """Whether an image reference may mean another image tomorrow.

    A colon before a slash belongs to a port, and a digest stands behind a colon as well.
    """
    _, _, tag = image.rpartition("/")[2].partition(":")
    return not tag or tag in _FLOATING


def unknown_install_disk(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """Talos that is told to install itself onto a disk that its machine does not have waits for it in vain.

    Only providers that know the disks of their machines are asked, and only disks named by their device.
    """
    disks = subject.machines[node.node.name].disks
    if not disks:
        return
    for value in _install_disks(node):
        written = text(value)
        match = _DEVICE.match(written)
        disk = match["disk"] if match else written
        if disk.startswith("/dev/") and not disk.startswith("/dev/disk/") and disk not in disks:
            yield Complaint(
                f"{disk} is none of the disks of this machine: {', '.join(disks)}",
                subject.place(node, value),
                f"install to {disks[0]}, or let a disk selector find it",
            )


def _install_disks(node: Staged) -> Iterator[Value]:
    disk = at(root_of(node), "machine", "install", "disk")
    if disk is not None and at(root_of(node), "machine", "install", "diskSelector") is None:
        yield disk
    for _, document in of_kind(node, "UnattendedInstallConfig"):
        yield at(document, "provisioning", "diskSelector", "match")
