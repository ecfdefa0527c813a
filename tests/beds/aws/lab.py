"""A laboratory on AWS's test bed: the bed, the bridge, and the real command in processes of its own."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from beds.aws.bed import Bed
from beds.aws.bridge import Bridge
from beds.aws.holds import Pace
from beds.aws.inventory import Found, inventory
from fakes.lab import Lab

TALOS = "v1.13.9"
LOOPBACK = "127.0.0.0/16"
"""Stands for a network of the laboratory's own whose addresses are local everywhere, so that nobody need be root."""


class AwsLab(Lab):
    """A laboratory whose clusters stand on the bed."""

    def __init__(self, folder: Path, key: Path, bed: Bed, bridge: Bridge, network: str) -> None:
        super().__init__(folder, key)
        self.bed, self.bridge, self.network = bed, bridge, network
        self.environ = {**self.environ, **bed.environ, "PROV_HOSTS": str(bridge.hosts)}
        self.ec2, self.elbv2 = bed.client("ec2", attempts=10), bed.client("elbv2", attempts=10)

    def write(self, document: dict[str, Any]) -> None:
        """The cluster file, in this laboratory's network."""
        network = f"{self.network}.0.0/16"
        super().write(json.loads(json.dumps(document).replace(LOOPBACK, network)))

    def there(self) -> Found:
        """All that really exists, and nothing that does not."""
        return {sort: found for sort, found in inventory(self.ec2, self.elbv2).items() if found}

    def counts(self) -> dict[str, int]:
        """How many of each sort there are."""
        return {sort: len(found) for sort, found in self.there().items()}

    def calls(self) -> Counter[str]:
        """What was called since it was asked last, by whomever."""
        counted = self.bed.calls()
        self.bed.records.clear()
        return counted


@contextmanager
def aws_lab(folder: Path, key: Path, *, hosts: Path | None = None) -> Iterator[AwsLab]:
    """A fresh laboratory; with a file of hosts that the system itself reads, its clusters are reached by name."""
    with (
        _block() as (network, balancers),
        Bed(pace=Pace(polls=1)) as bed,
        Bridge(bed, hosts or folder / "hosts", "10.255.0." if hosts else f"{balancers}.0.") as bridge,
    ):
        bed.publish_talos(TALOS)
        yield AwsLab(folder, key, bed, bridge, network)


@contextmanager
def _block() -> Iterator[tuple[str, str]]:
    """Two networks on loopback that nobody else has: ours while we hold a socket of that name."""
    for second in range(128, 254, 2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lease:
            try:
                lease.bind(f"\0prov-aws-bed-127.{second}")
            except OSError:
                continue
            yield f"127.{second}", f"127.{second + 1}"
            return
    raise OSError("all networks on loopback are taken by other beds")


def aws_cluster(control: int = 1, workers: int = 1, *, cidr: str = LOOPBACK, **more: Any) -> dict[str, Any]:
    """A small cluster file; `more` adds to the provider block."""
    return {
        "version": 1,
        "name": "lab",
        "talos": {"version": TALOS},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {
            "aws": {
                "region": "eu-west-1",
                "network": {"cidr": cidr},
                "dial": "private",
                "operators": ["203.0.113.7/32"],
                **more,
            }
        },
        "endpoint": "auto",
        "pools": {
            "control": {"role": "controlplane", "provider": "aws", "count": control, "zones": ["a", "b", "c"]},
            "workers": {"role": "worker", "provider": "aws", "count": workers, "zones": ["a"]},
        },
    }


def in_namespace() -> Path | None:
    """The file of hosts of the network namespace that `make test-aws` made; None outside."""
    named = os.environ.get("PROV_AWS_HOSTS")
    return Path(named) if named else None
