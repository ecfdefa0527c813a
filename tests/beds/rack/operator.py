"""Somebody who runs `prov apply` and `prov destroy` at a rack, in this process and on a clock that does not wait.

Everything is the real thing: the file, the workflow, the engine, the providers, HTTP and TLS on loopback. Only time
is made: it goes on when nobody has anything to do until then.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from attrs import define, evolve, field, frozen
from beds.rack.rack import PASSWORD, START, USER, Rack
from prov_metal.metal import MetalProvider

from provisioner.conformance.inline import Inline
from provisioner.model.event import Event, StepFailed
from provisioner.planner.build import PlanOptions
from provisioner.plugins.registry import Registry
from provisioner.render.progress import LineProgress
from provisioner.render.style import Style
from provisioner.workflow.apply import Applied, apply
from provisioner.workflow.open import Project, World, open_project

DEADLINE_S = 3600.0


@define
class OnRackTime(Inline):
    """The executor of one thread, whose clock is the rack's; the rack does what is due before anybody looks."""

    rack: Rack = field(kw_only=True)

    def arrived(self, timeout_s: float | None) -> list[Any]:
        before = self.seconds
        messages = super().arrived(timeout_s)
        if self.seconds != before:
            self.rack.catch_up()
            self.rack.site.settle()
        return messages


@frozen
class Ran:
    """How a run ended: what was printed, and what failed."""

    text: str
    failures: tuple[StepFailed, ...]
    complete: bool


@define(eq=False)
class Operator:
    """`seconds` is the time of day at the rack, which the rack's `clock` has to be."""

    folder: Path
    key: Path
    rack: Rack = field(init=False)
    timeout_s: float = 60.0
    patience_s: float = 60.0
    executor: OnRackTime | None = None
    seconds: float = 0.0

    def clock(self) -> float:
        """The rack's clock."""
        return self.executor.seconds if self.executor is not None else self.seconds

    def write(self, document: Mapping[str, Any]) -> None:
        """The cluster file."""
        (self.folder / "cluster.yaml").write_text(yaml.safe_dump(dict(document), sort_keys=False))

    def apply(self, *, deadline_s: float = DEADLINE_S, allow: str = "") -> Ran:
        """`prov apply --yes`, with `--allow` where a danger is named."""
        return self._run(PlanOptions(allow=frozenset([allow] if allow else [])), deadline_s)

    def destroy(self, *, deadline_s: float = DEADLINE_S) -> Ran:
        """`prov destroy --yes`."""
        return self._run(PlanOptions(destroy=True), deadline_s)

    def _run(self, options: PlanOptions, deadline_s: float) -> Ran:
        executor = self.executor = OnRackTime(seconds=self.seconds, rack=self.rack)
        project = self._project(executor)
        out = io.StringIO()
        progress = LineProgress(out, Style(), executor.now)
        failures: list[StepFailed] = []

        def emit(event: Event) -> None:
            progress.show(event)
            if isinstance(event, StepFailed):
                failures.append(event)

        try:
            done: Applied = apply(project, options, approve=lambda plan: True, emit=emit, deadline_s=deadline_s)
        finally:
            project.store.close()
            self.seconds = executor.seconds
        assert not done.plan.blocked, done.plan.problems
        whole = done.result is not None and done.result.complete
        return Ran(out.getvalue(), tuple(failures), whole)

    def _project(self, executor: OnRackTime) -> Project:
        world = World(
            environ={"PATH": os.environ["PATH"], "HOME": str(self.folder), "PROV_AGE_KEY_FILE": str(self.key)},
            now=lambda: START + timedelta(seconds=executor.seconds),
            tell=lambda text: None,
            person=False,
            executor=lambda: executor,
            wait=lambda seconds: None,
        )
        project = open_project(self.folder / "cluster.yaml", None, {}, world)
        provider = MetalProvider(self.timeout_s, self.rack.segment.at, self.patience_s)
        return evolve(project, registry=Registry(project.registry._points, {"metal": provider}))


def cluster(rack: Rack, control: int = 1, workers: int = 0, **block: Any) -> dict[str, Any]:
    """A cluster file for a rack; `block` adds to the provider block."""
    pools: dict[str, Any] = {"control": {"role": "controlplane", "provider": "metal", "count": control}}
    if workers:
        pools["workers"] = {"role": "worker", "provider": "metal", "count": workers}
    settings = {
        "inventory": rack.inventory(),
        "username": USER,
        "password": PASSWORD,
        "serve": rack.serve,
        "image": str(rack.image),
        "http_image": str(rack.image),
        "kernel": str(rack.image),
        "initramfs": str(rack.image),
        "cmdline": str(rack.cmdline),
    }
    return {
        "version": 1,
        "name": "rack",
        "talos": {"version": "v1.13.9"},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {"metal": {**settings, **block}},
        "endpoint": next(iter(rack.servers.values())).plate.address,
        "pools": pools,
    }
