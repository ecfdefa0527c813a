"""What machines boot from: an official image, one by id, or one made from the Image Factory's disk image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prov_aws.names import arch_of
from prov_aws.settings import AwsSettings, ImageWish, NodeOptions, wish
from provisioner.sdk import Address, BootRefs, Node, Ref, Resource, Slice, Value


class Images:
    """The images of a slice; `resources` grow as nodes ask for theirs."""

    def __init__(self, part: Slice, settings: AwsSettings, boot: BootRefs) -> None:
        self._part = part
        self._settings = settings
        self._boot = boot
        self._made: dict[Address, Resource] = {}

    @property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(self._made[address] for address in sorted(self._made))

    def of(self, node: Node, options: NodeOptions) -> Value:
        """The id of a node's image."""
        arch = options.arch or arch_of(node.size)
        wanted = wished(options.image or self._settings.image)
        if wanted.id:
            return wanted.id
        name = f"{self._part.instance}-{node.pool}-{arch}" if options.image else f"{self._part.instance}-{arch}"
        if wanted.factory or not (self._boot.stock or wanted.named):
            return self._from_factory(name, arch)
        address = Address("aws.published_image", name)
        props: dict[str, Value] = {
            "owner": wanted.owner,
            "image": wanted.name,
            "version": self._boot.version,
            "arch": arch,
        }
        self._made[address] = Resource(address, self._part.instance, props)
        return Ref(address, "id")

    def _from_factory(self, name: str, arch: str) -> Value:
        """An image made from the disk image of the file's schematic."""
        address, version = Address("aws.image", name), self._boot.version
        url = self._boot.artifact("aws", arch)
        title = f"talos-{version}-{arch}-{self._boot.schematic[:12]}"
        props: dict[str, Value] = {"name": title, "url": url, "arch": arch, "tags": dict(self._settings.tags)}
        self._made[address] = Resource(address, self._part.instance, props)
        return Ref(address, "id")


def wished(given: str | Mapping[str, Any]) -> ImageWish:
    """The `image:` of a file; a text is an id."""
    wanted: ImageWish = wish(ImageWish, {"id": given} if isinstance(given, str) else given, "image")
    return wanted
