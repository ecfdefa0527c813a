"""The rules that providers keep, as tests to inherit.

    class TestAcme(ProviderSuite):
        provider = prov_acme.provider

Those about designs are for providers that make machines; others pass them by. Where nodes are given something of a
stock, as hosts of an inventory are, the suite's settings have the stock, and it is handed out as in a plan.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points, packages_distributions
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve

from provisioner.blueprints.find import shipped
from provisioner.conformance.clusters import Boot, Shape, cluster, given, part, shipped_plan, with_long_names
from provisioner.conformance.fakes import FakeContext
from provisioner.conformance.harmless import touched
from provisioner.conformance.lab import LINEAGE
from provisioner.conformance.rules import holds
from provisioner.conformance.suite import Suite, nothing_to_test
from provisioner.conformance.watch import Watcher, touching_nothing
from provisioner.errors import ProvError
from provisioner.model.address import Address
from provisioner.model.design import Design, Endpoint, Slice
from provisioner.model.functions import CORE
from provisioner.model.job import Job
from provisioner.model.resource import Resource
from provisioner.model.schema import Schema
from provisioner.model.topology import Topology
from provisioner.model.value import Ref, Unknown, Value, evaluate, leaves, strip_origins
from provisioner.plugins.registry import GROUP
from provisioner.sdk.provider import (
    ChecksRows,
    Claims,
    Infrastructure,
    KeepsApart,
    Kind,
    Provider,
    ReadsTables,
)
from provisioner.talos.provider import provider as talos

AT_ONCE_S = 2.0
_TRIES = 3
"""A busy machine may be late now and then; who waits for something is late each time."""
_LIGHT = frozenset({"prov-talos", "attrs"})
_MANY = 1000
"""More nodes than a stock that the author of a suite wrote down has something for."""


class ProviderSuite(Suite):
    """P1 to P8."""

    provider: ClassVar[Provider]
    heavy: ClassVar[tuple[str, ...] | None] = None
    """Packages that importing must not load; None for all that the distribution depends on."""
    shape: ClassVar[Shape] = Shape()
    """What pools say to this provider."""
    names: ClassVar[Mapping[str, str]] = {}
    """The pattern that the remote demands of a property, such as `acme.machine.name`."""

    @pytest.fixture
    def settings(self) -> Mapping[str, Value]:
        """The provider block of a file; credentials come from the environment, or stand in it."""
        return {}

    @pytest.fixture
    def bare_settings(self, settings: Mapping[str, Value]) -> Mapping[str, Value]:
        """The same block without credentials."""
        return settings

    # P1

    @holds
    def test_p1_importing_touches_nothing(self) -> None:
        point = self._point()
        package = point.module.partition(".")[0] if point.dist else point.module
        heavy = self.heavy if self.heavy is not None else tuple(_requirements(point))

        assert touched(package, point.module, point.attr, heavy) == []

    # P2

    @holds
    def test_p2_design_is_pure(self, settings: Mapping[str, Value]) -> None:
        expected = self._design(cluster(self.shape), settings)
        endpoint = self._endpoint(cluster(self.shape), settings)
        with touching_nothing() as reached:
            again = self._design(cluster(self.shape), settings)
            once_more = self._endpoint(cluster(self.shape), settings)

        assert reached == []
        assert again == expected
        assert once_more == endpoint

    # P3

    @holds
    def test_p3_each_node_has_one_machine(self, settings: Mapping[str, Value]) -> None:
        topology = cluster(self.shape)
        made = self._design(topology, settings)

        assert set(made.machines) == {node.name for node in topology.nodes}
        addresses = [machine.address for machine in made.machines.values()]
        assert len(set(addresses)) == len(addresses), "nodes share a machine"
        resources = _by_address(made.resources)
        for name, machine in made.machines.items():
            assert machine.address in resources, f"{name}: its machine is not among the resources"
            for what, ref in (("host", machine.host), ("id", machine.id)):
                assert self._is_output(ref, resources), f"{name}: its {what} is no output of the design"

    # P4

    @holds
    @pytest.mark.parametrize("plan", sorted(shipped()))
    def test_p4_every_shipped_plan_fits(self, plan: str, settings: Mapping[str, Value], tmp_path: Path) -> None:
        self._maker()
        graph = shipped_plan(shipped()[plan], self.provider, settings, self.shape, tmp_path)
        found = _by_address(graph.resources.values())

        assert {str(address): text for address, one in found.items() for text in self._complaints(one)} == {}

    @holds
    def test_p4_names_fit_the_remote(self, settings: Mapping[str, Value]) -> None:
        made = self._everything(with_long_names(self.shape), settings)
        plain = [*self._everything(cluster(self.shape), settings)]

        assert [text for one in (*made, *plain) for text in self._misnamed(one)] == []
        assert len({str(_named(one)) for one in made}) == len({str(_named(one)) for one in plain}), "names collide"

    # P5

    @holds
    def test_p5_what_joins_or_leaves_changes_nothing_about_the_others(self, settings: Mapping[str, Value]) -> None:
        before = cluster(self.shape)
        standing = self._machines(before, settings)
        _, held = given(self._maker(), before, settings)
        for what, topology in self._grown(before).items():
            now = self._machines(topology, settings, held)
            moved = [name for name in standing if name in now and now[name] != standing[name]]
            assert moved == [], f"{what} changes the machines of {', '.join(moved)}"

    # P6

    @holds
    def test_p6_missing_credentials_are_told_at_once(
        self, bare_settings: Mapping[str, Value], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self.try_only("credentials")
        _forget_credentials(monkeypatch, tmp_path)
        schema = Schema.of(self.provider.settings)
        name, kind = next((name, kind) for name, kind in self.provider.kinds.items() if isinstance(kind, Kind))
        job: Job[Any, Any] = Job("01k0000000000000000000000a", 1, Address(name, "one"), lineage=LINEAGE)
        first = next(self._known_from_the_start(bare_settings), None)

        def ask() -> None:
            client, ctx = self.provider.connect(schema.build(schema.normal(bare_settings))), FakeContext()
            kind.read(client, [job], ctx.about(job.key))
            if first is not None:  # each object may have an endpoint of its own, which is asked about it only
                maker: Any = self.provider.kinds[first.address.kind]
                maker.create(client, first, ctx.about(first.key))

        with pytest.raises(ProvError) as caught:
            _at_once("connecting without credentials", ask)
        assert caught.value.remedy, "the error names no remedy"

    # P7

    @holds
    def test_p7_each_node_is_given_something_of_its_own(self, settings: Mapping[str, Value]) -> None:
        stock, mine = self._stock(), part(cluster(self.shape), settings)
        first = stock.claim(mine, {})
        with touching_nothing() as reached:
            again = stock.claim(mine, {})

        assert reached == []
        assert again == first
        assert set(first) == {node.name for node in mine.nodes}
        assert all(first.values()), "a node is given nothing"
        assert len(set(first.values())) == len(first), "nodes share what they are given"

    @holds
    def test_p7_what_a_node_holds_it_keeps(self, settings: Mapping[str, Value]) -> None:
        stock, before = self._stock(), cluster(self.shape)
        first = stock.claim(part(before, settings), {})
        held = dict(zip(first, [*first.values()][1:] + [*first.values()][:1], strict=True))  # as nobody would choose
        wishing = tuple(evolve(node, zone="another-zone", options={}) for node in before.nodes)
        cases = {
            **{what: (topology, settings) for what, topology in self._grown(before).items()},
            "another wish of the pool": (evolve(before, nodes=wishing), settings),
            "the stock in another order": (before, _turned(self.provider, settings)),
        }
        for what, (topology, block) in cases.items():
            now = stock.claim(part(topology, block), held)
            assert set(now) == {node.name for node in topology.nodes}, f"{what}: not each node is given something"
            bereft = [name for name in now if name in held and now[name] != held[name]]
            assert bereft == [], f"{what}: {', '.join(bereft)} lose what they hold"
            assert len(set(now.values())) == len(now), f"{what}: nodes share what they are given"

    @holds
    def test_p7_a_stock_that_is_too_small_is_told(self, settings: Mapping[str, Value]) -> None:
        crowd = part(cluster(self.shape, workers=_MANY), settings)
        made, err = _claimed_or_error(self._stock(), crowd)

        if err is None:
            assert len(set(made.values())) == len(crowd.nodes), "nodes share what they are given"
            return
        assert any(node.name in err.detail for node in crowd.nodes), "the error names no node that gets nothing"
        assert err.remedy, "the error names no remedy"

    # P8

    @holds
    def test_p8_rows_are_only_looked_at(self, settings: Mapping[str, Value]) -> None:
        provider = self.provider
        if not isinstance(provider, ReadsTables):
            nothing_to_test("the provider reads no tables")
        for table, cls in provider.tables.items():
            schema, rows = Schema.of(cls), settings.get(table)
            assert isinstance(rows, Mapping), f"the suite's settings shall have rows as `{table}`"
            assert rows, f"`{table}` shall have rows in the suite's settings"
            normal = {name: schema.normal(row) for name, row in rows.items() if isinstance(row, Mapping)}
            unknown: Mapping[str, Value] = dict.fromkeys(schema.fields, Unknown("later"))
            for block in (settings, dict.fromkeys(settings, Unknown("later"))):
                _look_at(provider, block, table, unknown)
            told = {name: _look_at(provider, settings, table, row) for name, row in normal.items()}
            with touching_nothing() as reached:
                again = {name: _look_at(provider, settings, table, row) for name, row in normal.items()}

            assert reached == []
            assert again == told
            assert [text for wrong, _ in told.values() for text in wrong] == [], "rows that are right are refused"
            apart = [one for _, single in told.values() for one in {*single}]
            assert len(set(apart)) == len(apart), "rows of the samples have in common what only one can have"
            for name, value in apart:
                assert name in schema.fields, f"{name} is no field of a row"
                assert not schema.fields[name].marks.secret, f"{name} is secret, and shown where two rows have it"
                assert isinstance(value, str)

    # what tests are made of

    def _point(self) -> EntryPoint:
        """Where the provider is found: its entry point, else its class."""
        found = [point for point in entry_points(group=GROUP) if point.name == self.provider.name]
        cls = type(self.provider)
        return found[0] if found else EntryPoint(self.provider.name, f"{cls.__module__}:{cls.__qualname__}", GROUP)

    def _maker(self) -> Infrastructure:
        if not isinstance(self.provider, Infrastructure):
            nothing_to_test("the provider makes no machines")
        return self.provider

    def _stock(self) -> Claims:
        if not isinstance(self.provider, Claims):
            nothing_to_test("the provider has no stock to give nodes something of")
        return self.provider

    def _grown(self, before: Topology) -> Mapping[str, Topology]:
        """What becomes of a cluster, by what happened to it."""
        wider = evolve(self.shape, zones=(*self.shape.zones, "another-zone"))
        return {
            "a worker more": cluster(self.shape, workers=3),
            "a worker less": cluster(self.shape, workers=1),
            "control planes more": cluster(self.shape, control=5),
            "a node in another zone": _joined(before, cluster(wider, workers=len(wider.zones))),
        }

    def _part(
        self, topology: Topology, settings: Mapping[str, Value], held: Mapping[str, str] | None = None
    ) -> Slice:
        """The provider's part of a cluster, each node with what it is given; `held` are earlier bindings."""
        return part(given(self._maker(), topology, settings, held)[0], settings)

    def _design(
        self, topology: Topology, settings: Mapping[str, Value], held: Mapping[str, str] | None = None
    ) -> Design:
        return self._maker().design(self._part(topology, settings, held), Boot())

    def _endpoint(self, topology: Topology, settings: Mapping[str, Value]) -> Endpoint | None:
        return self._maker().endpoint(self._part(topology, settings))

    def _everything(self, topology: Topology, settings: Mapping[str, Value]) -> tuple[Resource, ...]:
        endpoint = self._endpoint(topology, settings)
        return (*(endpoint.resources if endpoint else ()), *self._design(topology, settings).resources)

    def _machines(
        self, topology: Topology, settings: Mapping[str, Value], held: Mapping[str, str] | None = None
    ) -> dict[str, tuple[Any, Resource]]:
        made = self._design(topology, settings, held)
        resources = _by_address(made.resources)
        return {name: (machine, resources[machine.address]) for name, machine in made.machines.items()}

    def _known_from_the_start(self, settings: Mapping[str, Value]) -> Iterator[Job[Any, Any]]:
        """Objects of a design whose props refer to nothing that has to be made before, about to be made."""
        if not isinstance(self.provider, Infrastructure):
            return
        for number, resource in enumerate(self._design(cluster(self.shape), settings).resources):
            kind = self.provider.kinds.get(resource.address.kind)
            props = self._evaluated(resource)
            if isinstance(kind, Kind) and not any(isinstance(leaf, Unknown) for _, leaf in leaves(props)):
                schema = Schema.of(kind.props)
                wanted = schema.build(schema.normal(props))
                yield Job(f"01k{number:023}", 1, resource.address, wanted=wanted, lineage=LINEAGE)

    def _evaluated(self, resource: Resource) -> dict[str, Value]:
        """Props of a design as far as they are known before anything is made."""
        functions = {**CORE, **talos.functions, **self.provider.functions}
        return {
            name: strip_origins(evaluate(value, lambda ref: Unknown(str(ref.to)), functions))
            for name, value in resource.props.items()
        }

    def _is_output(self, ref: Ref, resources: Mapping[Address, Resource]) -> bool:
        if ref.to not in resources:
            return False
        outputs = Schema.of(self.provider.kinds[ref.to.kind].outputs).fields
        return ref.output.partition(".")[0] in outputs

    def _complaints(self, resource: Resource) -> Iterator[str]:
        kind = self.provider.kinds.get(resource.address.kind)
        if kind is not None:
            props = self._evaluated(resource)
            yield from (f"{name} {says}" for name, says in Schema.of(kind.props).complaints(props))

    def _misnamed(self, resource: Resource) -> Iterator[str]:
        for name, value in resource.props.items():
            pattern = self.names.get(f"{resource.address.kind}.{name}")
            if pattern is not None and not re.fullmatch(pattern, str(strip_origins(value))):
                yield f"{resource.address}: {name} is {value!r}, and the remote takes {pattern}"


def _requirements(point: EntryPoint) -> Iterator[str]:
    """The top-level packages of what the provider's distribution depends on, without the core and attrs."""
    wanted = (re.split(r"[^A-Za-z0-9._-]", text)[0] for text in (point.dist.requires if point.dist else None) or ())
    names = {_canonical(name) for name in wanted} - _LIGHT
    for package, distributions in packages_distributions().items():
        if names & {_canonical(name) for name in distributions}:
            yield package


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _by_address(resources: Any) -> dict[Address, Resource]:
    found: dict[Address, Resource] = {}
    for resource in resources:
        assert resource.address not in found, f"{resource.address} is designed twice"
        found[resource.address] = resource
    return found


def _joined(before: Topology, wider: Topology) -> Topology:
    """The nodes that stand, and those that only the wider cluster has."""
    known = {node.name for node in before.nodes}
    return evolve(before, nodes=(*before.nodes, *(node for node in wider.nodes if node.name not in known)))


def _turned(provider: Provider, settings: Mapping[str, Value]) -> Mapping[str, Value]:
    """Settings whose tables have their rows in the opposite order."""
    tables = provider.tables if isinstance(provider, ReadsTables) else ()
    rows = {name: settings.get(name) for name in tables}
    return {
        **settings,
        **{name: dict([*one.items()][::-1]) for name, one in rows.items() if isinstance(one, Mapping)},
    }


def _claimed_or_error(stock: Claims, part: Slice) -> tuple[Mapping[str, str], ProvError | None]:
    try:
        return stock.claim(part, {}), None
    except ProvError as err:
        return {}, err


def _look_at(
    provider: ReadsTables, settings: Mapping[str, Value], table: str, row: Mapping[str, Value]
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """What a provider has against a row, and what of it only one row can have."""
    wrong = [*provider.complaints(settings, table, row)] if isinstance(provider, ChecksRows) else []
    single = [*provider.single(table, row)] if isinstance(provider, KeepsApart) else []
    return wrong, single


def _named(resource: Resource) -> tuple[str, str]:
    """What the remote tells objects of a kind apart by, as far as their props say."""
    return resource.address.kind, str(resource.props.get("name", resource.address.name))


def _at_once(what: str, work: Callable[[], None]) -> None:
    """Calls something that must come back at once."""
    for _ in range(_TRIES - 1):
        try:
            return Watcher(AT_ONCE_S).call(what, work)
        except AssertionError:
            continue
    return Watcher(AT_ONCE_S).call(what, work)


def _forget_credentials(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in list(os.environ):
        if name not in ("PATH", "LANG", "LC_ALL", "TMPDIR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))


__all__ = ["ProviderSuite", "Shape"]
