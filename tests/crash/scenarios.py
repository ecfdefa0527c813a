"""What is killed: the first apply, edits and the destroy of small clusters, and what is wanted afterwards.

The scenarios of a family share a laboratory and lead into each other, so a cluster that came through one kill is
the start of the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from fakes.lab import cluster

LIVE = {"machine": {"sysctls": {"vm.max_map_count": "262144"}}}
REBOOTS = {"machine": {"udev": {"rules": ['SUBSYSTEM=="drm"']}}}
ENVIRONMENT = {"apiVersion": "v1alpha1", "kind": "EnvironmentConfig", "variables": {"A": "b"}}
"""Reboots as well, but from Talos 1.14 only where the machine is told to."""


@frozen(eq=False)
class Shape:
    """A cluster file, and what exists where it holds."""

    name: str
    control: int
    workers: int
    document: Mapping[str, Any]


@frozen(eq=False)
class Scenario:
    """A run that is killed, and the run that comes after it.

    at        what stands before; None for nothing
    to        what the killed run is to reach; None for a destroy
    then      what the run after it is to reach; the same, unless the file was changed in between
    accident  what happens to a machine before, as `prov sim fault` has it
    allow     what `--allow` names in the run after it
    """

    name: str
    at: Shape | None
    to: Shape | None
    then: Shape | None
    accident: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@frozen(eq=False)
class Family:
    """Scenarios in an order in which each can begin where an earlier one ended.

    `must` has, by scenario, beginnings of kinds of points that its trace needs to have: else the seams no longer
    see what they are there for. In a short run they are also where it is killed, unless the family is killed
    `everywhere`.
    """

    name: str
    scenarios: tuple[Scenario, ...]
    must: Mapping[str, tuple[str, ...]] = field(factory=dict)
    everywhere: bool = False


def _shape(
    name: str, control: int, workers: int, size: str = "small", delivery: str = "", wipe: bool = False, **more: Any
) -> Shape:
    document = cluster(control, workers, **more)
    if wipe:
        document["pools"]["workers"] |= {"extra_disks": ["/dev/vdb"], "wipe": ["/dev/vda", "/dev/vdb"]}
    document["pools"]["workers"]["size"] = size
    if delivery:
        document["providers"]["sim"]["delivery"] = delivery
    return Shape(name, control, workers, document)


_ONE = _shape("one", 1, 1)
_EDITED = _shape("edited", 1, 2, patches=[LIVE, REBOOTS])
_LARGER = _shape("larger", 1, 1, size="medium")
_BY_API = _shape("by-api", 1, 1, delivery="api")
_BY_API_EDITED = _shape("by-api-edited", 1, 2, delivery="api", patches=[LIVE])
_THREE = _shape("three", 3, 1)
_TWO = _shape("two", 2, 1)
_TWO_EDITED = _shape("two-edited", 2, 1, patches=[REBOOTS])

_DISKS = _shape("disks", 1, 2, wipe=True)
_FEWER_DISKS = _shape("fewer-disks", 1, 1, wipe=True)

_RELEASE: dict[str, Any] = {"talos": {"version": "v1.14.1"}, "kubernetes": {"version": "v1.37.0"}}
_NEWEST = _shape("newest", 1, 1, **_RELEASE)
_NEWEST_EDITED = _shape("newest-edited", 1, 1, patches=[ENVIRONMENT], **_RELEASE)

SMALL = Family(
    "small",
    (
        Scenario("first", None, _ONE, _ONE),
        Scenario("edit", _ONE, _EDITED, _EDITED),
        Scenario("edit-back", _EDITED, _ONE, _ONE),
        Scenario("replace", _ONE, _LARGER, _LARGER),
        Scenario("destroy", _LARGER, None, None),
    ),
    {
        "first": (
            "commit the-new-state - -",
            "apply create sim.balancer -",
            "apply create sim.machine -",
            "apply create talos.secrets -",
            "apply create talos.config -",
            "apply create talos.bootstrap -",
            "apply create talos.bootstrap called",
            "apply check talos.health -",
            "request create_machine - -",
            "request talos.bootstrap - -",
            "commit Put:creating sim.machine -",
            "commit Put:ready talos.secrets -",
            "file write kubeconfig -",
        ),
        "edit": (
            "plan read sim.machine -",
            "plan read sim.balancer -",
            "plan read talos.secrets -",
            "plan read talos.bootstrap -",
            "plan read talos.config -",
            "apply update talos.config -",
            "apply update talos.config sent",
            "request talos.apply - -",
            "commit Put:updating talos.config sent",
        ),
        "edit-back": (
            "apply delete:leave talos.config -",
            "apply delete:leave talos.config leaving",
            "apply delete:leave talos.config resetting",
            "apply delete sim.machine -",
            "request talos.reset - -",
            "request talos.delete_kubernetes_node - -",
        ),
        "replace": ("apply delete:renew talos.config resetting",),
        "destroy": (
            "apply delete:teardown talos.config -",
            "apply delete:teardown talos.config wiping",
            "apply delete:teardown talos.config resetting",
            "apply delete sim.balancer -",
            "apply delete talos.bootstrap -",
            "apply delete talos.secrets -",
            "commit Drop sim.machine -",
        ),
    },
    everywhere=True,
)
BY_API = Family(
    "by-api",
    (
        Scenario("first-by-api", None, _BY_API, _BY_API),
        Scenario("edit-by-api", _BY_API, _BY_API_EDITED, _BY_API_EDITED),
        Scenario("destroy-by-api", _BY_API_EDITED, None, None),
    ),
    {
        "first-by-api": (
            "apply create talos.config sent",
            "commit Put:creating talos.config sent",
            "request talos.apply - -",
        ),
        "destroy-by-api": ("request talos.reset - -",),
    },
)
THREE = Family(
    "three",
    (
        Scenario("first-of-three", None, _THREE, _THREE),
        Scenario("control-plane-leaves", _THREE, _TWO_EDITED, _TWO_EDITED),
        Scenario("control-plane-joins", _TWO_EDITED, _THREE, _THREE),
        Scenario("dead-one-is-removed", _THREE, _TWO, _TWO, accident=("die", "control-3")),
        Scenario("destroy-of-two", _TWO, None, None),
    ),
    {
        "control-plane-leaves": (
            "apply delete:leave talos.config leaving",
            "apply delete:leave talos.config resetting",
        ),
        "dead-one-is-removed": ("apply delete:remove-member talos.config -", "request talos.remove_member - -"),
    },
)
SECOND_THOUGHTS = Family(
    "second-thoughts",
    (
        Scenario("first-then-destroyed", None, _ONE, None),
        Scenario("first-then-edited", None, _ONE, _EDITED),
        Scenario("edit-taken-back", _EDITED, _ONE, _EDITED),
        Scenario("power-comes-back", _EDITED, _EDITED, _EDITED, accident=("off", "workers-2")),
        Scenario("destroy-taken-back", _EDITED, None, _EDITED, allow=("data-loss",)),
    ),
    {
        "first-then-destroyed": ("apply create sim.machine -",),
        "edit-taken-back": ("apply delete:leave talos.config resetting",),
        "power-comes-back": ("apply update sim.machine -", "request update_machine - -"),
        "destroy-taken-back": ("apply delete:teardown talos.config wiping",),
    },
)
TOLD_TO_REBOOT = Family(
    "told-to-reboot",
    (
        Scenario("first-of-1.14", None, _NEWEST, _NEWEST),
        Scenario("edit-that-reboots", _NEWEST, _NEWEST_EDITED, _NEWEST_EDITED),
        Scenario("destroy-of-1.14", _NEWEST_EDITED, None, None),
    ),
    {
        "edit-that-reboots": (
            "apply update talos.config sent",
            "request talos.apply - -",
            "request talos.reboot - -",
            "commit Put:updating talos.config sent",
        ),
    },
)
ERASING = Family(
    "erasing",
    (
        Scenario("first-with-disks", None, _DISKS, _DISKS),
        Scenario("leaves-and-erases", _DISKS, _FEWER_DISKS, _FEWER_DISKS),
        Scenario("destroy-and-erase", _FEWER_DISKS, None, None),
    ),
    {
        "leaves-and-erases": (
            "apply delete:leave talos.config leaving",
            "apply delete:leave talos.config resetting",
            "request talos.reset - -",
        ),
        "destroy-and-erase": (
            "apply delete:teardown talos.config wiping",
            "apply delete:teardown talos.config resetting",
            "request talos.reset - -",
        ),
    },
)
FAMILIES = {family.name: family for family in (SMALL, BY_API, THREE, SECOND_THOUGHTS, TOLD_TO_REBOOT, ERASING)}
