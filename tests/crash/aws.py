"""Crashes on AWS: a small cluster on the test bed, killed at one point of a run, and what must be true afterwards.

One control plane, and one of everything that costs money: an address and a NAT gateway, a further disk, a balancer.
What really exists is asked of EC2 by a script that has no code of prov in it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, frozen
from beds.aws.lab import AwsLab, aws_cluster, aws_lab
from crash.ground import Broken, Passage
from crash.run import KILLED, Ended, Runner

from provisioner.state.identity import create_identity

SORTS = {
    "networks": "aws.network",
    "subnets": "aws.subnet",
    "groups": "aws.security_group",
    "gateways": "aws.gateway",
    "tables": "aws.route_table",
    "nat": "aws.nat_gateway",
    "addresses": "aws.elastic_ip",
    "instances": "aws.machine",
    "placement": "aws.placement_group",
    "balancers": "aws.balancer",
    "listeners": "aws.listener",
    "targets": "aws.target_group",
}
"""The sorts of objects that are on record one by one, and their kinds."""


@frozen(eq=False)
class Shape:
    """A cluster file, and how many objects of each sort there are where it holds."""

    name: str
    document: Mapping[str, Any]
    wanted: Mapping[str, int]


@frozen(eq=False)
class Scenario:
    """A run that is killed: from where, and to where; None is nothing at all."""

    name: str
    at: Shape | None
    to: Shape | None


def _document(workers: int, **more: Any) -> dict[str, Any]:
    document = aws_cluster(1, workers, nodes="private", nat="one", **more)
    document["pools"]["control"] |= {"volumes": [{"device": "/dev/sdf", "size_gib": 2}]}
    return document


_COMMON = {
    "networks": 1,
    "subnets": 2,
    "gateways": 1,
    "tables": 2,
    "nat": 1,
    "addresses": 1,
    "groups": 4,
    "balancers": 1,
    "listeners": 2,
    "targets": 2,
}
ONE = Shape("one", _document(0), {**_COMMON, "instances": 1, "volumes": 2, "interfaces": 2})
TWO = Shape("two", _document(1, tags={"team": "blue"}), {**_COMMON, "instances": 2, "volumes": 3, "interfaces": 3})
SCENARIOS = (
    Scenario("first", None, ONE),
    Scenario("edit", ONE, TWO),
    Scenario("edit-back", TWO, ONE),
    Scenario("destroy", ONE, None),
)


@define
class AwsGround:
    """A laboratory on AWS; every run in it may be killed at a point."""

    lab: AwsLab
    runner: Runner
    standing: Shape | None = None

    def trace(self, scenario: Scenario) -> list[Passage]:
        """The points of an undisturbed run."""
        self.reach(scenario.at)
        file = self.lab.folder / "trace"
        file.unlink(missing_ok=True)
        self._must(self._run(scenario.to, PROV_CRASH_TRACE=str(file)), f"an undisturbed run of {scenario.name}")
        self.standing = scenario.to
        self.check()
        return [Passage(tuple(json.loads(line))) for line in file.read_text().splitlines()]

    def kill(self, scenario: Scenario, point: str) -> bool:
        """Kills the run at the point; then one goes to its end. False where the point was not passed."""
        self.reach(scenario.at)
        ended = self._run(scenario.to, PROV_CRASH_AT=point)
        if ended.code not in (0, KILLED):
            raise Broken(f"the run that is to be killed {_how(ended)}")
        self.check_interrupted()
        self._must(self._run(scenario.to), "the run afterwards")
        self.standing = scenario.to
        self.check()
        return ended.code == KILLED

    def reach(self, shape: Shape | None) -> None:
        """Brings the laboratory to a shape, undisturbed."""
        if self.standing is not shape:
            self._must(self._run(shape), "a run to get there")
            self.standing = shape

    def check_interrupted(self) -> None:
        """Right after a kill: what bears a mark is on record by its key, and no key is there twice."""
        known = {entry["key"] for entry in self._record()}
        marked = [*self._marks()]
        if orphans := sorted(set(marked) - known):
            raise Broken(f"orphans right after the kill: {orphans}")
        if doubles := sorted(key for key, count in Counter(marked).items() if count > 1):
            raise Broken(f"made twice right after the kill: {doubles}")

    def check(self) -> None:
        """After the run that went to its end: exactly what is wanted exists, and it is what is on record."""
        there = self.lab.there()
        record = {entry["id"] for entry in self._record() if entry["address"].startswith("aws.")}
        wanted = dict(self.standing.wanted) if self.standing is not None else {}
        _expect("objects", wanted, {sort: len(found) for sort, found in there.items() if sort != "rules"})
        for sort in SORTS:
            for id_, name in there.get(sort, {}).items():
                if id_ not in record:
                    raise Broken(f"not on record: {sort} {id_} {name}")
        if self.standing is None:
            _expect("rules", {}, there.get("rules", {}))
            _expect("entries on record", [], self._record())
            return
        _expect("rules that are there twice", [], _twice(there.get("rules", {})))
        plan = self.runner.run("plan")
        _expect(f"exit code of plan\n{plan.text}", 0, plan.code)
        _expect("faults of the bridge", [], self.lab.bridge.faults)

    def _run(self, shape: Shape | None, **environ: str) -> Ended:
        if shape is None:
            return self.runner.run("destroy", "--yes", "--step-timeout", "240", **environ)
        self.lab.write(dict(shape.document))
        return self.runner.run("apply", "--yes", "--step-timeout", "240", **environ)

    def _must(self, ended: Ended, what: str) -> None:
        if ended.code != 0:
            raise Broken(f"{what} {_how(ended)}")

    def _record(self) -> list[dict[str, Any]]:
        if not (self.lab.folder / ".prov/lab.db").exists():
            return []
        ended = self.runner.run("state", "pull")
        if ended.code != 0:
            raise Broken(f"reading the record {_how(ended)}")
        entries: list[dict[str, Any]] = json.loads(ended.text)["entries"]
        return entries

    def _marks(self) -> Iterator[str]:
        """The keys of all machines, volumes aside: what costs most if it is made twice."""
        for reservation in self.lab.ec2.describe_instances()["Reservations"]:
            for instance in reservation["Instances"]:
                tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
                if instance["State"]["Name"] != "terminated" and "prov:key" in tags:
                    yield tags["prov:key"]


@contextmanager
def aws_ground() -> Iterator[AwsGround]:
    """A laboratory of its own, taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="prov-crash-") as name:
        folder = Path(name)
        create_identity(folder / "age.key")
        (folder / "lab").mkdir()
        with aws_lab(folder / "lab", folder / "age.key") as lab:
            runner = Runner(lab, "prov_aws.aws", "boto3")
            try:
                yield AwsGround(lab, runner)
            finally:
                runner.close()


def _how(ended: Ended) -> str:
    return f"ends with {ended.code}\n{ended.text}" if ended.code is not None else f"does not end\n{ended.text}"


def _twice(found: Mapping[str, str]) -> list[str]:
    return sorted(name for name, count in Counter(found.values()).items() if count > 1)


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Broken(f"{what}: expected {expected}, found {found}")
