"""The rules that providers keep, as tests to inherit.

    class TestAcme(ProviderSuite):
        provider = prov_acme.provider

Those about designs are for providers that make machines; others pass them by.
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
from provisioner.conformance.clusters import Boot, Shape, cluster, part, shipped_plan, with_long_names
from provisioner.conformance.fakes import FakeContext
from provisioner.conformance.harmless import touched
from provisioner.conformance.lab import LINEAGE
from provisioner.conformance.rules import holds
from provisioner.conformance.suite import Suite, nothing_to_test
from provisioner.conformance.watch import Watcher, touching_nothing
from provisioner.errors import ProvError
from provisioner.model.address import Address
from provisioner.model.design import Design
from provisioner.model.functions import CORE
from provisioner.model.job import Job
from provisioner.model.resource import Resource
from provisioner.model.schema import Schema
from provisioner.model.topology import Topology
from provisioner.model.value import Ref, Unknown, Value, evaluate, strip_origins
from provisioner.plugins.registry import GROUP
from provisioner.sdk.provider import Infrastructure, Kind, Provider
from provisioner.talos.provider import provider as talos

AT_ONCE_S = 2.0
_TRIES = 3
"""A busy machine may be late now and then; who waits for something is late each time."""
_LIGHT = frozenset({"prov-talos", "attrs"})


class ProviderSuite(Suite):
    """P1 to P6."""

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
        endpoint = self._maker().endpoint(part(cluster(self.shape), settings))
        with touching_nothing() as reached:
            again = self._design(cluster(self.shape), settings)
            once_more = self._maker().endpoint(part(cluster(self.shape), settings))

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
        wider = evolve(self.shape, zones=(*self.shape.zones, "another-zone"))
        others = {
            "a worker more": cluster(self.shape, workers=3),
            "a worker less": cluster(self.shape, workers=1),
            "control planes more": cluster(self.shape, control=5),
            "a node in another zone": _joined(before, cluster(wider, workers=len(wider.zones))),
        }
        for what, topology in others.items():
            now = self._machines(topology, settings)
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

        def ask() -> None:
            client = self.provider.connect(schema.build(schema.normal(bare_settings)))
            kind.read(client, [job], FakeContext().about(job.key))

        with pytest.raises(ProvError) as caught:
            _at_once("connecting without credentials", ask)
        assert caught.value.remedy, "the error names no remedy"

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

    def _design(self, topology: Topology, settings: Mapping[str, Value]) -> Design:
        return self._maker().design(part(topology, settings), Boot())

    def _everything(self, topology: Topology, settings: Mapping[str, Value]) -> tuple[Resource, ...]:
        endpoint = self._maker().endpoint(part(topology, settings))
        return (*(endpoint.resources if endpoint else ()), *self._design(topology, settings).resources)

    def _machines(self, topology: Topology, settings: Mapping[str, Value]) -> dict[str, tuple[Any, Resource]]:
        made = self._design(topology, settings)
        resources = _by_address(made.resources)
        return {name: (machine, resources[machine.address]) for name, machine in made.machines.items()}

    def _is_output(self, ref: Ref, resources: Mapping[Address, Resource]) -> bool:
        if ref.to not in resources:
            return False
        outputs = Schema.of(self.provider.kinds[ref.to.kind].outputs).fields
        return ref.output.partition(".")[0] in outputs

    def _complaints(self, resource: Resource) -> Iterator[str]:
        kind = self.provider.kinds.get(resource.address.kind)
        if kind is not None:
            functions = {**CORE, **talos.functions, **self.provider.functions}
            props = {
                name: evaluate(value, lambda ref: Unknown(str(ref.to)), functions)
                for name, value in resource.props.items()
            }
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
