"""Topology, providers and Talos put together: the one place that knows both worlds.

topology ── endpoint(owner) ──► host of the Kubernetes API
    │                              │
    └── design(each provider) ◄────┴── user-data from Talos
              │ machines
              └──► Talos resources ──► graph, with the file's own resources and outputs
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from attrs import evolve, field, frozen

from provisioner.cluster.claims import claimed
from provisioner.errors import InputError, Place, Problem, ProvError
from provisioner.graph.resources import ResourceGraph, build_graph
from provisioner.model.address import Address
from provisioner.model.design import Machine, Slice
from provisioner.model.plan import ProviderUse
from provisioner.model.resource import Resource
from provisioner.model.rollout import Rollout
from provisioner.model.schema import Schema
from provisioner.model.state import Move
from provisioner.model.topology import Topology
from provisioner.model.value import Ref, Value, replace_refs
from provisioner.plugins.registry import Registry
from provisioner.sdk.channels import SMALLER, TOO_LARGE, too_large
from provisioner.sdk.provider import Infrastructure
from provisioner.spec.references import ENDPOINT, NODE_KIND
from provisioner.spec.resources import CORE
from provisioner.spec.schema import AUTO, ClusterSpec, Pool, ResourceBlock
from provisioner.talos.config.assemble import Documents
from provisioner.talos.config.endpoint import url
from provisioner.talos.design import Boot, after_schematic, config_address, design, schematic, settings, stages
from provisioner.talos.size import birth_channel, foreseen_size

TALOS = "talos"
"""The instance of the built-in provider that serves the cluster."""


@frozen
class Composed:
    """Everything the file wants as a graph, the machine of each node, and each configuration as it grows.

    `stages` has, by node name, the documents without settings, with them, and after each patch.
    """

    graph: ResourceGraph
    machines: Mapping[str, Machine]
    stages: Mapping[str, tuple[Documents, ...]]


def compose(
    spec: ClusterSpec, topology: Topology | None, bindings: Mapping[str, str], registry: Registry
) -> ResourceGraph:
    """Everything the file wants, as a graph. Pure but for loading the providers that the file names.

    `topology` is None for a file without a cluster. Raises InputError with all that does not fit the providers.
    """
    return _graph(spec, bindings, *_parts(spec, topology, bindings, registry))


def compose_with_stages(
    spec: ClusterSpec, topology: Topology, bindings: Mapping[str, str], registry: Registry
) -> Composed:
    """The same, with what whoever looks at configurations needs besides."""
    cluster, own = _parts(spec, topology, bindings, registry)
    grown = stages(topology, cluster.machines, cluster.endpoint, cluster.outside)
    return Composed(
        _graph(spec, bindings, cluster, own),
        cluster.machines,
        {name: tuple(tuple(map(own.values, stage)) for stage in each) for name, each in grown.items()},
    )


def _parts(
    spec: ClusterSpec, topology: Topology | None, bindings: Mapping[str, str], registry: Registry
) -> tuple[_Cluster, _Names]:
    infrastructure = _infrastructure(spec, registry)
    _check(spec, infrastructure, registry)
    cluster = _Cluster() if topology is None else _cluster(spec, topology, infrastructure, bindings)
    return cluster, _Names(cluster.machines, cluster.host)


def _graph(spec: ClusterSpec, bindings: Mapping[str, str], cluster: _Cluster, own: _Names) -> ResourceGraph:
    uses = [ProviderUse(block.name, block.type, block.settings) for block in spec.providers.values()]
    uses += [ProviderUse(CORE, CORE, {}), *cluster.uses]
    return build_graph(
        spec.name,
        [own.resource(resource) for resource in (*cluster.resources, *map(_resource, spec.resources))],
        providers={use.name: evolve(use, settings=own.values(use.settings)) for use in uses},
        rollouts=cluster.rollouts,
        bindings={**bindings, **cluster.bindings},
        outputs=own.values(spec.outputs),
        spec_digest=spec.digest,
        lenient=(TALOS,),
        moves=_moves(spec, cluster.resources),
    )


@frozen
class _Cluster:
    """What was designed for a cluster; nothing at all where the file has none.

    `uses` has the instance of Talos, `bindings` what nodes were given. `host` is the endpoint as it is reached from
    this computer, `endpoint` as nodes reach it, `outside` how it is reached from here if that is another way.
    """

    resources: tuple[Resource, ...] = ()
    machines: Mapping[str, Machine] = field(factory=dict)
    rollouts: tuple[Rollout, ...] = ()
    host: Value = ""
    endpoint: Value = ""
    outside: Value | None = None
    uses: tuple[ProviderUse, ...] = ()
    bindings: Mapping[str, str] = field(factory=dict)


def _cluster(
    spec: ClusterSpec,
    topology: Topology,
    infrastructure: Mapping[str, Infrastructure],
    held: Mapping[str, str],
) -> _Cluster:
    wishes = {name: _slice(spec, topology, name) for name in infrastructure}
    topology, bindings = claimed(topology, wishes, infrastructure, held)
    slices = {name: _slice(spec, topology, name) for name in infrastructure}
    resources: list[Resource] = []
    host, outside = _endpoint(spec, topology, infrastructure, slices, resources)
    boot = Boot(topology, host, outside)
    machines: dict[str, Machine] = {}
    rollouts: list[Rollout] = []
    for name, provider in infrastructure.items():
        with _block_of(spec, name):
            part = provider.design(slices[name], boot)
        resources += part.resources
        machines |= part.machines
        rollouts += part.rollouts
    talos_resources, talos_rollouts = design(topology, machines, host, TALOS, outside)
    here = host if outside is None else outside
    resources += talos_resources
    _check_sizes(spec, topology, machines, talos_resources)
    told = schematic(topology, TALOS)
    return _Cluster(
        tuple(resources) if told is None else (told, *after_schematic(resources, topology)),
        machines,
        (*rollouts, *talos_rollouts),
        here,
        host,
        outside,
        (ProviderUse(TALOS, TALOS, settings(topology, machines, here)),),
        bindings,
    )


def _check_sizes(
    spec: ClusterSpec, topology: Topology, machines: Mapping[str, Machine], resources: Iterable[Resource]
) -> None:
    """Raises InputError where what a machine is born with does not fit the way into it.

    Nodes of a pool differ in little but their names, so where settings and patches are the same, one stands for all.
    """
    configs = {
        resource.address: resource.props["documents"] for resource in resources if "documents" in resource.props
    }
    pools = {pool.name: pool for pool in spec.pools}
    looked_at: set[tuple[object, ...]] = set()
    problems: list[Problem] = []
    for node in topology.nodes:
        through = birth_channel(machines[node.name])
        alike = (node.pool, id(node.settings), *map(id, node.patches))  # what nodes share is the same object
        if through is None or alike in looked_at:
            continue
        looked_at.add(alike)
        size = foreseen_size(configs[config_address(node.name)], through)
        if through.limit is not None and size > through.limit:
            place = pools[node.pool].place
            problems.append(Problem("config-size", TOO_LARGE, too_large(node.name, size, through), place, SMALLER))
    if problems:
        raise InputError(problems)


class _Names:
    """What the file calls nodes and endpoint, replaced by what was designed for them."""

    def __init__(self, machines: Mapping[str, Machine], host: Value) -> None:
        self._machines = machines
        self._host = host

    def value(self, value: Value) -> Value:
        return replace_refs(value, self._meant)

    def values(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        return {name: self.value(value) for name, value in values.items()}

    def resource(self, resource: Resource) -> Resource:
        after = tuple(self._target(address) for address in resource.after)
        return evolve(resource, props=self.values(resource.props), after=after)

    def _meant(self, ref: Ref) -> Value:
        if ref == ENDPOINT:
            return url(self._host)
        if ref.to.kind == NODE_KIND:
            machine = self._machines[ref.to.name]
            return machine.host if ref.output == "host" else machine.id
        return ref

    def _target(self, address: Address) -> Address:
        return self._machines[address.name].address if address.kind == NODE_KIND else address


def _resource(block: ResourceBlock) -> Resource:
    return Resource(
        address=block.address,
        provider=block.provider,
        props=block.props,
        after=block.after,
        protect=block.protect,
        replace=block.replace,
        ignore=block.ignore,
        adopts=block.adopts,
        place=block.place,
    )


def _moves(spec: ClusterSpec, designed: Iterable[Resource]) -> tuple[Move, ...]:
    """The moves of the file; raises InputError for those of what was designed, which is called after its nodes."""
    kept = {resource.address for resource in designed}
    problems = [
        Problem(
            "moved-node",
            "what belongs to the cluster keeps its name",
            f"{move.origin} would become {move.target}",
            move.place,
            "take the entry out of `moved:`; only what is under `resources:` can be moved",
        )
        for move in spec.moved
        if move.origin in kept
    ]
    if problems:
        raise InputError(problems)
    return tuple(Move(move.origin, move.target) for move in spec.moved)


def _infrastructure(spec: ClusterSpec, registry: Registry) -> dict[str, Infrastructure]:
    """The providers of the pools, by instance, in the order of the file."""
    found: dict[str, Infrastructure] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(pool.provider for pool in spec.pools):
        block = spec.providers[name]
        provider = registry.provider(block.type)
        if isinstance(provider, Infrastructure):
            found[name] = provider
        else:
            problems.append(
                Problem(
                    "provider-machines",
                    "this provider makes no machines",
                    f"a pool asks {name!r} for nodes, and the provider {block.type!r} has none",
                    block.place,
                    "give the pool another provider",
                )
            )
    for kind in {block.kind for block in spec.resources}:
        registry.kind(kind)
    if problems:
        raise InputError(problems)
    return found


def _check(spec: ClusterSpec, providers: Mapping[str, Infrastructure], registry: Registry) -> None:
    """Settings and pool options against the classes of the providers."""
    problems: list[Problem] = []
    for name, block in spec.providers.items():
        schema = Schema.of(registry.provider(block.type).settings)
        problems += _complaints(schema, block.settings, block.places, block.place, f"providers.{name}", block.type)
    for pool in spec.pools:
        schema = Schema.of(providers[pool.provider].node_options)
        type_ = spec.providers[pool.provider].type
        problems += _complaints(schema, pool.options, pool.places, pool.place, f"pools.{pool.name}", type_)
    if problems:
        raise InputError(problems)


def _complaints(
    schema: Schema,
    given: Mapping[str, Value],
    places: Mapping[str, Place],
    whole: Place,
    what: str,
    type_: str,
) -> Iterable[Problem]:
    for name, sentence in schema.complaints(given):
        yield Problem(
            "provider-option",
            "a setting does not fit the provider",
            f"{what}.{name} {sentence.replace('of this kind', 'that it knows')}",
            places.get(name, whole),
            f"the provider {type_!r} knows {', '.join(schema.fields)}" if schema.fields else "take it out",
        )


def _slice(spec: ClusterSpec, topology: Topology, name: str) -> Slice:
    nodes = tuple(node for node in topology.nodes if node.provider == name)
    return Slice(name, spec.providers[name].settings, topology, nodes)


def _endpoint(
    spec: ClusterSpec,
    topology: Topology,
    providers: Mapping[str, Infrastructure],
    slices: Mapping[str, Slice],
    resources: list[Resource],
) -> tuple[Value, Value | None]:
    """The host of the Kubernetes API, for the nodes and from outside; what makes it is added to `resources`."""
    if topology.endpoint.text != AUTO:
        return topology.endpoint.text, None
    owner = _first_control_pool(spec).provider
    with _block_of(spec, owner):
        made = providers[owner].endpoint(slices[owner])
    if made is None:
        raise InputError(
            [
                Problem(
                    "endpoint-auto",
                    "the provider makes no endpoint by itself",
                    f"`endpoint: auto` asks {owner!r} for one",
                    spec.providers[owner].place,
                    "name a host under `endpoint:` that leads to the control planes",
                )
            ]
        )
    resources += made.resources
    return made.host, made.outside


@contextmanager
def _block_of(spec: ClusterSpec, name: str) -> Iterator[None]:
    """What a provider finds wrong without a place is shown at its block."""
    try:
        yield
    except ProvError as err:
        if err.place == Place():
            err.place = spec.providers[name].place
        raise


def _first_control_pool(spec: ClusterSpec) -> Pool:
    return next(pool for pool in spec.pools if pool.role == "controlplane")
