"""What rules look at: the file, and the configuration it gives each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from provisioner.cluster.stages import Staged
from provisioner.errors import Place
from provisioner.model.design import Machine
from provisioner.model.topology import Topology
from provisioner.model.value import Path, Value, leaves, strip_origins
from provisioner.spec.schema import ClusterSpec, Pool
from provisioner.talos.config.patch import Identity, identity_of, place_of


@frozen
class Subject:
    """A cluster: `nodes` in the order of the topology, `machines` by node name."""

    spec: ClusterSpec
    topology: Topology
    nodes: tuple[Staged, ...]
    machines: Mapping[str, Machine]

    def pool_of(self, node: Staged) -> Pool:
        """The pool a node belongs to."""
        return next(pool for pool in self.spec.pools if pool.name == node.node.pool)

    def place(self, node: Staged, value: Value) -> Place:
        """Where a value was written; where its node's pool stands for one that nobody wrote."""
        return place_of(value) or self.pool_of(node).place


@frozen
class Complaint:
    """One thing that a rule has found; complaints of several nodes that are alike are told as one."""

    detail: str
    place: Place
    remedy: str


def of_kind(node: Staged, *kinds: str) -> Iterator[tuple[Identity, Mapping[str, Value]]]:
    """The documents of these kinds, in their order; the root has an empty one."""
    for document in node.documents:
        identity = identity_of(document)
        if identity.kind in kinds:
            yield identity, document


def root_of(node: Staged) -> Mapping[str, Value]:
    """The root document; empty where there is none."""
    return next((document for _, document in of_kind(node, "")), {})


def at(value: Value, *path: str | int) -> Value:
    """What stands at a path, None where nothing does."""
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(str(key))
        elif isinstance(value, tuple) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def listed(value: Value) -> tuple[Value, ...]:
    """The elements of a list; none for what is no list."""
    return value if isinstance(value, tuple) else ()


def text(value: Value) -> str:
    """A plain text without where it comes from; empty for anything else, so for what is not known yet."""
    bare = strip_origins(value)
    return bare if isinstance(bare, str) else ""


def all_leaves(node: Staged) -> Iterator[tuple[Identity, Path, Value]]:
    """Every leaf of a node's configuration, with its document."""
    for document in node.documents:
        identity = identity_of(document)
        for path, leaf in leaves(document):
            yield identity, path, leaf
