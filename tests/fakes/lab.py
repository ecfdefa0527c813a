"""A laboratory per test: a project folder, a daemon of simulated machines, and the real command in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prov_sim.control import Control
from prov_sim.place import place_of

PROV = Path(sys.executable).with_name("prov")
NO_WAIT = {"time_scale": 0}


class Lab:
    """One cluster file with everything around it. `prov` runs the command as a user would."""

    def __init__(self, folder: Path, key: Path) -> None:
        self.folder = folder
        self.file = folder / "cluster.yaml"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PROV_SIM_DIR": str(folder / "sim"),
            "PROV_AGE_KEY_FILE": str(key),
            "NO_COLOR": "1",
        }

    def write(self, document: dict[str, Any]) -> None:
        """The cluster file."""
        self.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def start(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        """The command in the background."""
        return subprocess.Popen(
            [PROV, *args],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def prov(self, *args: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """The command, which must end with `code`."""
        process = self.start(*args, **environ)
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"prov {' '.join(args)} did not end:\n{out}\n{err}\n{self.sim_text()}")
        assert process.returncode == code, f"prov {' '.join(args)} → {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def json(self, *args: str, code: int = 0) -> Any:
        """What a command says with `--json`."""
        return json.loads(self.prov(*args, "--json", code=code).stdout)

    @property
    def control(self) -> Control:
        """The daemon, without the command around it."""
        return Control(place_of("default", self.environ))

    def sim(self) -> dict[str, Any]:
        """What really exists."""
        nothing: dict[str, Any] = {"machines": [], "balancers": [], "clusters": []}
        return self.control.ask_if_running("show") or nothing

    def sim_text(self) -> str:
        """What exists, for a failure's message."""
        done = subprocess.run(
            [PROV, "sim", "list"], cwd=self.folder, env=self.environ, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def machines(self) -> dict[str, dict[str, Any]]:
        """The simulated machines by name."""
        return {machine["name"]: machine for machine in self.sim()["machines"]}

    def changes(self) -> list[tuple[str, str]]:
        """What a plan would do, as (verb, address); replacements as `replace`."""
        process = self.prov("plan", "--json", code=2)
        return steps_of(json.loads(process.stdout))

    def assert_settled(self, control: int, workers: int) -> None:
        """The daemon has exactly the wanted machines, one etcd cluster made by one bootstrap, and all is healthy."""
        world = self.sim()
        roles = sorted(machine["role"] for machine in world["machines"])
        assert roles == ["controlplane"] * control + ["worker"] * workers
        assert len(world["balancers"]) == 1
        assert len({machine["key"] for machine in world["machines"]}) == control + workers
        assert [machine["name"] for machine in world["machines"] if not machine["ready"]] == []
        (domain,) = world["clusters"]
        (etcd,) = domain["etcd"]
        assert domain["bootstraps"] == 1
        assert etcd["healthy"]
        assert sorted(m["name"] for m in etcd["members"]) == sorted(
            m["name"] for m in world["machines"] if m["role"] == "controlplane"
        )
        assert not any(member["learner"] for member in etcd["members"])
        assert sorted(node["name"] for node in etcd["nodes"]) == sorted(m["name"] for m in world["machines"])


def steps_of(view: dict[str, Any]) -> list[tuple[str, str]]:
    """The work in a plan's JSON."""
    return [
        ("replace" if step.get("replaces") else step["verb"], step["address"])
        for step in view["steps"]
        if step["verb"] != "keep" and not step.get("replaced")
    ]


def cluster(control: int = 3, workers: int = 2, **more: Any) -> dict[str, Any]:
    """A small cluster file; `more` adds or replaces top-level keys."""
    return {
        "version": 1,
        "name": "lab",
        "talos": {"version": "v1.13.9"},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {"sim": dict(NO_WAIT)},
        "endpoint": "auto",
        "pools": {
            "control": {"role": "controlplane", "provider": "sim", "count": control},
            "workers": {"role": "worker", "provider": "sim", "count": workers},
        },
        **more,
    }
