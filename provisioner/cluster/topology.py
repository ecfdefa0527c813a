"""The cluster file as nodes: their names, zones and patches, with what was decided at their birth kept.

Bindings are texts by key, kept in the state:

    node/NAME/zone       the zone a node was born in; empty when its pool had none
    talos.version        the releases in effect: neither a later default nor an edit moves them
    kubernetes.version   while nothing plans upgrades, for that would strike all nodes at once
    talos.contract       the Talos minor release whose configuration shape the cluster was born with
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import evolve

from provisioner.errors import InputError, Place, Problem
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.spec.schema import ClusterSpec, Patch, Pool, Settings, TalosSpec
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS
from provisioner.talos.images.schematic import Schematic, SchematicError
from provisioner.talos.support import default_kubernetes, require
from provisioner.talos.versions import Contract

TALOS = "talos.version"
KUBERNETES = "kubernetes.version"
CONTRACT = "talos.contract"

_NO_PLACE = "this release of Talos cannot be told a setting"


def topology_of(spec: ClusterSpec, bindings: Mapping[str, str]) -> tuple[Topology | None, dict[str, str]]:
    """The topology, None for a file without a cluster, and the bindings to keep once it stands. Pure.

    Nodes are ordered by pool name, then by number. What is bound stays: a new node or zone changes nothing about the
    nodes there are, and a node that comes back finds its old zone. Bound releases hold, whatever the file says;
    `moves` tells where it says something else. Raises InputError where the file has dropped a cluster that stands,
    and where it has settings that the bound contract cannot express.
    """
    if spec.talos is None:
        return None, _unbound(spec, bindings)
    version = bindings.get(TALOS) or spec.talos.version
    zones = {name: zone for pool in spec.pools for name, zone in _zones(pool, bindings).items()}
    nodes = tuple(
        Node(
            name=name,
            role=pool.role,
            pool=pool.name,
            provider=pool.provider,
            size=pool.size,
            zone=zones[name],
            options=pool.options,
            patches=tuple(patch.documents for patch in patches_of(spec, pool, name)),
            settings=_settings(spec, pool, name).values,
        )
        for pool in sorted(spec.pools, key=lambda pool: pool.name)
        for name in pool.nodes
    )
    talos = TalosWish(
        version=version,
        contract=bindings.get(CONTRACT) or str(require(version).contract),
        kubernetes=bindings.get(KUBERNETES) or spec.kubernetes.version or default_kubernetes(version),
        schematic=_schematic(spec.talos),
        factory=spec.talos.factory,
        registry=spec.talos.registry,
        recipe=_recipe(spec.talos),
        secure_boot=spec.talos.secureboot,
    )
    _check_settings(spec, talos.contract)
    kept = {
        **bindings,
        **{_zone_key(name): zone for name, zone in zones.items()},
        TALOS: talos.version,
        KUBERNETES: talos.kubernetes,
        CONTRACT: talos.contract,
    }
    kubernetes = spec.kubernetes.settings.values
    return Topology(spec.name, nodes, EndpointWish(spec.endpoint), talos, kubernetes), kept


def moves(spec: ClusterSpec, bindings: Mapping[str, str]) -> tuple[Problem, ...]:
    """Where the file would move a cluster that stands to other releases, which nothing plans yet."""
    if spec.talos is None:
        return ()
    asked = (
        ("Talos", spec.talos.version, bindings.get(TALOS), spec.talos.place),
        ("Kubernetes", spec.kubernetes.version, bindings.get(KUBERNETES), spec.kubernetes.place),
    )
    return tuple(
        Problem(
            "upgrade",
            "a cluster that stands cannot be moved to another release yet",
            f"it runs {what} {bound}, and the file says {version}",
            place,
            f"put {bound} back; this release of prov has no planned upgrades",
        )
        for what, version, bound, place in asked
        if version and bound and version != bound
    )


def image_of(talos: TalosSpec) -> Schematic:
    """Everything that the file customises."""
    return evolve(talos.schematic, extensions=talos.extensions)


def _schematic(talos: TalosSpec) -> str:
    """The schematic's id; raises InputError where the file has to say it and does not, or says another one."""
    wanted = image_of(talos)
    try:
        computed = wanted.id
    except SchematicError as err:
        if talos.schematic_id:
            return talos.schematic_id
        raise InputError([Problem(err.code, err.summary, err.detail, talos.image_place, err.remedy)]) from None
    if talos.schematic_id in ("", computed) or wanted == Schematic():
        return talos.schematic_id or computed
    raise InputError(
        [
            Problem(
                "schematic-id",
                "the id is that of another schematic",
                f"talos.schematic_id is {talos.schematic_id}; what the file customises has the id {computed}",
                talos.image_place,
                "take talos.schematic_id out, or everything else that customises the image",
            )
        ]
    )


def _recipe(talos: TalosSpec) -> str:
    wanted = image_of(talos)
    return "" if talos.schematic_id and wanted == Schematic() else wanted.recipe


def _settings(spec: ClusterSpec, pool: Pool, name: str) -> Settings:
    return spec.machines.get(name, pool.machine)


def _check_settings(spec: ClusterSpec, contract: str) -> None:
    """Raises InputError with every setting that the configuration of this contract has no place for."""
    found: dict[Problem, None] = {}
    machines = (*(pool.machine for pool in spec.pools if pool.nodes), *spec.machines.values())
    for area, settings in (
        (KUBERNETES_SETTINGS, spec.kubernetes.settings),
        *((MACHINE_SETTINGS, each) for each in machines),
    ):
        for limit in area.limits(settings.values, Contract.parse(contract)):
            place = settings.place(limit.path)
            found[Problem("setting-release", _NO_PLACE, limit.detail, place, limit.remedy)] = None
    if found:
        raise InputError(sorted(found, key=lambda item: (item.place.file, item.place.line, item.place.column)))


def _unbound(spec: ClusterSpec, bindings: Mapping[str, str]) -> dict[str, str]:
    """The bindings, which hold no cluster; without its file nobody could take one down in good order."""
    if TALOS not in bindings:
        return dict(bindings)
    raise InputError(
        [
            Problem(
                "cluster-dropped",
                "the file no longer describes the cluster that is on record",
                f"a cluster of Talos {bindings[TALOS]} stands",
                Place(spec.path.name),
                "put `talos:`, `kubernetes:` and `pools:` back; `prov destroy` then takes the cluster down",
            )
        ]
    )


def _zones(pool: Pool, bindings: Mapping[str, str]) -> dict[str, str]:
    """The zone of each node of a pool: the bound one, else the zone with the fewest nodes, first in the file's order.

    At birth that spreads the nodes round-robin, and later nodes go where a new zone or a gap is. A binding ends only
    when the file no longer lists its zone.
    """
    bound = {name: bindings[_zone_key(name)] for name in pool.nodes if _zone_key(name) in bindings}
    zones = {name: zone for name, zone in bound.items() if not zone or not pool.zones or zone in pool.zones}
    taken = Counter(zones.values())
    for name in pool.nodes:
        if name not in zones:
            zones[name] = min(pool.zones, key=taken.__getitem__, default="")
            taken[zones[name]] += 1
    return zones


def _zone_key(name: str) -> str:
    return f"node/{name}/zone"


def patches_of(spec: ClusterSpec, pool: Pool, name: str) -> tuple[Patch, ...]:
    """The patches of one node in the order they apply: for all, for its role, for its pool, for itself."""
    everyone = [patch for patch in spec.patches if patch.role is None and patch.node is None]
    role = [patch for patch in spec.patches if patch.role == pool.role]
    single = [patch for patch in spec.patches if patch.node == name]
    return (*everyone, *role, *pool.patches, *single)
