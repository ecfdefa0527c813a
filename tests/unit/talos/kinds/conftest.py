"""A cluster in memory for every test of Talos's kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes.talos_cluster import FakeCluster, FakeContext, configured, healthy_cluster, host_of, props

from provisioner.sdk import Address, Job
from provisioner.talos.api.access import Configured, Maintenance
from provisioner.talos.kinds.node import ConfigProps


@pytest.fixture
def ctx() -> FakeContext:
    return FakeContext()


@pytest.fixture
def healthy() -> Callable[..., FakeCluster]:
    return healthy_cluster


@pytest.fixture
def fresh() -> FakeCluster:
    """One machine, in maintenance."""
    return FakeCluster(
        nodes={"control-1": host_of("control-1")},
        control_planes={"control-1": host_of("control-1")},
        machines={host_of("control-1"): Maintenance("maintenance")},
    )


@pytest.fixture
def make_props() -> Callable[..., ConfigProps]:
    return props


@pytest.fixture
def make_machine() -> Callable[..., Configured]:
    return configured


@pytest.fixture
def config_job() -> Callable[..., Job[Any, Any]]:
    """A job on a node's configuration."""

    def make(wanted: ConfigProps | None = None, **given: Any) -> Job[Any, Any]:
        known = wanted or given.get("applied")
        name = given.pop("name", None) or known.node
        return Job(key="k", generation=1, address=Address("talos.config", name), wanted=wanted, **given)

    return make
