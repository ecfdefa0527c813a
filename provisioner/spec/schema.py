"""The cluster file as types: what each field means, and what it is when it is left out.

Texts, counts and lists here are final. `Value` fields may still hold references to what apply will make, and secrets
from the environment. Every part has the place it was written, and `places` for its single keys, so that whoever
judges them later (a provider its settings, a kind its props) can point at the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File

from attrs import field, frozen

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.model.resource import Replace
from provisioner.model.topology import PUBLIC_FACTORY, Role
from provisioner.model.value import Path, Value
from provisioner.talos.images.schematic import Schematic

AUTO = "auto"
"""The endpoint that the provider of the first control-plane pool makes."""


@frozen
class TalosSpec:
    """`talos:`. The release to run, as `v1.13.9`, and what its images have beyond it.

    extensions    such as `siderolabs/iscsi-tools`
    schematic     all other customisations
    schematic_id  the id of the two together; empty where it shall be computed
    secureboot    whether machines boot signed images
    factory       the URL of the Image Factory or of a folder like it, without a slash at the end
    registry      where installers come from; empty for the factory's own
    """

    version: str
    extensions: tuple[str, ...] = ()
    schematic: Schematic = field(factory=Schematic)
    schematic_id: str = ""
    secureboot: bool = False
    factory: str = PUBLIC_FACTORY
    registry: str = ""
    place: Place = field(default=Place(), eq=False)
    image_place: Place = field(default=Place(), eq=False)
    """Where the file says what the image is."""


@frozen
class Settings:
    """What the file says under `machine:` or `kubernetes:`; `values` has the form of Talos's table for that.

    `places` has where each part was written, by its path into the values.
    """

    values: Mapping[str, Value] = field(factory=dict)
    places: Mapping[Path, Place] = field(factory=dict, eq=False)

    def place(self, path: Path) -> Place:
        """Where the part at this path stands, or the nearest above it that was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place())


@frozen
class KubernetesSpec:
    """`kubernetes:`. Without a version the default of the Talos release at the cluster's birth is kept for good."""

    version: str | None = None
    settings: Settings = Settings()
    place: Place = field(default=Place(), eq=False)


@frozen
class ProviderBlock:
    """One entry of `providers:`: an instance of the provider `type`, which is the name unless the file says so."""

    name: str
    type: str
    settings: Mapping[str, Value]
    place: Place = field(default=Place(), eq=False)
    places: Mapping[str, Place] = field(factory=dict, eq=False)


@frozen
class Patch:
    """A patch of the machine configuration: its documents, and whom it is for (everyone when both are None)."""

    documents: tuple[Mapping[str, Value], ...]
    role: Role | None = None
    node: str | None = None
    place: Place = field(default=Place(), eq=False)


@frozen
class Pool:
    """One entry of `pools:`: nodes of one role and shape, called `<name>-1` to `<name>-<count>`.

    `without` takes single nodes out. `machine` are the settings for all nodes with those of the pool over them.
    `options` are the keys that only the pool's provider understands.
    """

    name: str
    role: Role
    provider: str
    count: int
    size: str = ""
    zones: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    machine: Settings = Settings()
    options: Mapping[str, Value] = field(factory=dict)
    place: Place = field(default=Place(), eq=False)
    places: Mapping[str, Place] = field(factory=dict, eq=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes, by number."""
        return tuple(name for name in self.numbered if name not in self.without)

    @property
    def numbered(self) -> tuple[str, ...]:
        """All names from 1 to `count`, also those taken out."""
        return tuple(f"{self.name}-{number}" for number in range(1, self.count + 1))


@frozen
class ResourceBlock:
    """One entry of `resources:`: anything beyond the cluster itself.

    An address in `after` may be one of the file's own, `cluster.node/NAME` (see `spec.references`). `ignore` are
    paths into `props`, `adopts` is the id of an object that is there already and shall be taken over.
    """

    name: str
    kind: str
    provider: str
    props: Mapping[str, Value]
    after: tuple[Address, ...] = ()
    protect: bool = False
    replace: Replace = "delete_first"
    ignore: tuple[str, ...] = ()
    adopts: str = ""
    place: Place = field(default=Place(), eq=False)
    places: Mapping[str, Place] = field(factory=dict, eq=False)

    @property
    def address(self) -> Address:
        return Address(self.kind, self.name)


@frozen
class MovedBlock:
    """One entry of `moved:`: what was called `origin` is called `target` now. The kind is the same."""

    origin: Address
    target: Address
    place: Place = field(default=Place(), eq=False)


@frozen
class ClusterSpec:
    """A whole cluster file with variables and environment filled in.

    Pools stand in the order written: the provider of the first control-plane pool makes the endpoint `auto`.
    `talos` is None, and there are no pools, in a file that has resources and outputs only.
    `machines` has the settings of the nodes that have some of their own, those of their pools below them.
    `endpoint` is `auto`, a host or a URL. `digest` is the SHA-256 of all that has a meaning, secrets and patch files
    included, places and comments not.
    """

    path: File
    name: str
    variables: Mapping[str, Value]
    talos: TalosSpec | None
    kubernetes: KubernetesSpec
    providers: Mapping[str, ProviderBlock]
    endpoint: str
    pools: tuple[Pool, ...]
    patches: tuple[Patch, ...] = ()
    machines: Mapping[str, Settings] = field(factory=dict)
    resources: tuple[ResourceBlock, ...] = ()
    moved: tuple[MovedBlock, ...] = ()
    outputs: Mapping[str, Value] = field(factory=dict)
    digest: str = ""
