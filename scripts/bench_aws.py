"""Measures instances on EC2's test bed, beside a bare loop of boto3 with as many calls at the same time.

`make bench-aws` runs it; `scripts/bench_aws.py 100 1000` takes other numbers. Both make the same instances in the
same subnet, each with a call of its own, and look until all of them run. The bed is a process of its own. It answers
as fast as it can, which is its one core's business, so only the ratio means something; `--delay 0.2` has each answer
come later by so many seconds, as those of AWS do. Calls are counted by the bed. Of apply and destroy the time of the
run itself is compared, in brackets: it begins, as the loop does, with loading what talks to AWS.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
PROV = Path(sys.executable).with_name("prov")
AT_ONCE = 16
MOST_REMOVED = 300
"""How many are removed again: the bed goes through all instances for each one that goes, EC2 does not."""
CREATE_GOAL, REFRESH_GOAL = 1.3, 25
REGION = "eu-west-1"
TYPE = "m7i.large"


class Run(NamedTuple):
    """Seconds on the wall, of CPU of the client and of the bed, and on the wall of the run without start and plan."""

    wall: float
    client: float
    bed: float
    calls: dict[str, int]
    itself: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.calls.values())


class Bed:
    """The bed in a process of its own, with a subnet in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        self.url, self.image = told["url"], told["images"]["x86_64"]
        config = Config(max_pool_connections=AT_ONCE, retries={"total_max_attempts": 1})
        self.ec2: Any = boto3.client("ec2", region_name=REGION, endpoint_url=self.url, config=config, **_KEYS)
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/17")["Subnet"]["SubnetId"]
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        self.group = groups["SecurityGroups"][0]["GroupId"]

    def cpu(self) -> float:
        """The seconds of CPU that the bed has used."""
        fields = Path("/proc", str(self._process.pid), "stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def calls(self) -> dict[str, int]:
        """The calls since the last time, by action."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("calls\n")
        self._process.stdin.flush()
        counted: dict[str, int] = json.loads(self._process.stdout.readline())
        return counted


_KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}


@contextmanager
def bed(delay_s: float) -> Iterator[Bed]:
    """A fresh bed, whose answers come so much later."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    process = subprocess.Popen(
        [sys.executable, "-m", "beds.aws", str(delay_s)],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Bed(process)
    finally:
        process.communicate()


def bare(place: Bed, count: int) -> Run:
    """The floor: a loop of boto3."""
    told = {"url": place.url, "image": place.image, "subnet": place.subnet, "group": place.group}
    told |= {"type": TYPE, "region": REGION}
    place.calls()
    served = place.cpu()
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/bare_boto3.py", str(count), str(AT_ONCE), json.dumps(told)],
        env={**os.environ, **{name.upper(): value for name, value in _KEYS.items()}},
        check=True,
        capture_output=True,
        text=True,
    )
    took = json.loads(done.stdout)
    return Run(took["wall"], took["cpu"], place.cpu() - served, place.calls())


_HEAD = f"  {'':20} {'seconds':>8} {'(run)':>8} {'CPU':>6} {'bed':>6} {'calls':>6}"
_JSON = {"apply": ("--json",), "destroy": ("--json",)}


class Project:
    """A file of instances and nothing else."""

    def __init__(self, folder: Path, place: Bed, count: int) -> None:
        self._folder, self._place = folder, place
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "NO_COLOR": "1",
            "PROV_AGE_KEY_FILE": str(folder / "age.key"),
            "AWS_ENDPOINT_URL": place.url,
            **{name.upper(): value for name, value in _KEYS.items()},
        }
        machine = {
            "name": "${each.key}",
            "type": TYPE,
            "image": place.image,
            "subnet": place.subnet,
            "security_groups": [place.group],
        }
        document = {
            "version": 1,
            "name": "bench",
            "providers": {"aws": {"region": REGION, "in_flight": AT_ONCE, "per_second": 0}},
            "resources": {
                "node": {
                    "kind": "aws.machine",
                    "provider": "aws",
                    "for_each": {f"n{number}": {} for number in range(count)},
                    "props": machine,
                }
            },
        }
        (folder / "cluster.yaml").write_text(yaml.safe_dump(document))
        self.run("keys", "create", "--out", str(folder / "age.key"))

    def run(self, *command: str) -> Run:
        """A command, which must succeed."""
        self._place.calls()
        began, served, before = time.monotonic(), self._place.cpu(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [PROV, *command, *_JSON.get(command[0], ())],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
        )
        wall = time.monotonic() - began
        if done.returncode:
            sys.exit(f"prov {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr[-4000:]}")
        events = [json.loads(line) for line in done.stdout.splitlines()] if command[0] in _JSON else []
        itself = sum(event["seconds"] for event in events if event["event"] == "RunEnded")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Run(wall, client, self._place.cpu() - served, self._place.calls(), itself)


def measure(count: int, delay_s: float) -> bool:
    """A table for one number of instances; whether the goals are met."""
    with bed(delay_s) as place:
        floor = bare(place, count)
    with bed(delay_s) as place, tempfile.TemporaryDirectory(prefix="prov-bench-") as name:
        project = Project(Path(name), place, count)
        made = project.run("apply", "--yes")
        read = project.run("plan")
        gone = project.run("destroy", "--yes") if count <= MOST_REMOVED else None
    ratio = made.itself / floor.wall
    late = f", each answer {delay_s} s later" if delay_s else ""
    lines = [f"\n{count} instances, {AT_ONCE} calls at the same time{late}", _HEAD]
    for what, run in (("bare loop of boto3", floor), ("apply", made), ("plan", read), ("destroy", gone)):
        if run is None:
            continue
        itself = f"({run.itself:.1f})" if run.itself else ""
        cpu = f"{run.client:6.1f} {run.bed:6.1f}"
        lines.append(f"  {what:20} {run.wall:8.1f} {itself:>8} {cpu} {run.total:6}  {_listed(run.calls)}")
    lines.append(f"  create / floor       {ratio:8.2f}    goal {CREATE_GOAL}")
    lines.append(f"  calls of a refresh   {read.total:8}    goal {REFRESH_GOAL}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return ratio <= CREATE_GOAL and read.total <= REFRESH_GOAL


def _listed(calls: dict[str, int]) -> str:
    return ", ".join(f"{count} {name.partition(':')[2]}" for name, count in sorted(calls.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("counts", nargs="*", type=int, default=[100, 1000])
    parser.add_argument("--delay", type=float, default=0.0, help="seconds by which each answer comes later")
    asked = parser.parse_args()
    return int(not all(list(map(measure, asked.counts, [asked.delay] * len(asked.counts)))))


if __name__ == "__main__":
    sys.exit(main())
