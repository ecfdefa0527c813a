"""`prov sim`, and what importing the package costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from prov_sim.cli import app
from prov_sim.control import Control
from prov_sim.place import place_of
from typer.testing import CliRunner

from provisioner.sdk import ProvError

ORDER = {
    "key": "k",
    "lineage": "L",
    "name": "m",
    "group": "demo",
    "role": "worker",
    "cpus": 2,
    "memory_mib": 2048,
    "zone": "",
    "image": "v1.13.9",
    "platform": "nocloud",
    "disk": "/dev/vda",
    "user_data": "",
    "time_scale": 0,
    "seed": 0,
}


def prov_sim(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def machine(environment, wait_until):
    control = Control.named("default")
    control.call("create_machine", **ORDER)
    wait_until(lambda: control.call("list")["machines"][0]["stage"] == "maintenance")
    return control


def test_without_a_daemon_there_is_nothing_and_that_is_no_error(environment):
    assert prov_sim("list").output == "no daemon 'default' runs, so nothing exists\n"
    assert json.loads(prov_sim("list", "--json").output) == {"machines": [], "balancers": [], "clusters": []}
    assert prov_sim("stop").output == "no daemon 'default' runs\n"


def test_the_list_is_a_table_that_says_it_lives_in_memory(machine):
    lines = prov_sim("list").output.splitlines()
    assert lines[0].split() == ["MACHINE", "ADDRESS", "POWER", "STAGE", "READY", "ETCD", "BOOTS", "ERROR"]
    assert lines[1].split()[0] == "demo/m"
    assert lines[1].split()[2:] == ["on", "maintenance", "no", "-", "1"]
    assert "memory" in lines[-1]


def test_the_json_has_what_the_readme_says(machine):
    world = json.loads(prov_sim("list", "--json").output)
    assert sorted(world) == ["balancers", "calls", "clusters", "erased", "faults", "machines", "notice", "taken_full"]
    assert world["machines"][0]["name"] == "m"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("off", "m"), "demo/m: power off, stage off\n"),
        (("die", "demo/m"), "demo/m: power dead, stage off\n"),
        (("hold", "m"), "demo/m: power on, stage maintenance\n"),
        (("release", "m"), "demo/m: power on, stage maintenance\n"),
        (("slow", "m", "--factor", "2"), "demo/m: power on, stage maintenance\n"),
        (("on", "m"), "demo/m: power on, stage maintenance\n"),
        (("fail", "list", "--kind", "denied", "--times", "2"), "list will fail: denied, 2 times\n"),
    ],
)
def test_faults_are_told(machine, arguments, expected):
    assert prov_sim("fault", *arguments).output == expected


def test_a_fault_that_cannot_be_is_an_error(machine):
    result = prov_sim("fault", "edit", "m", "machine.sysctls", "{a: b}")
    assert (result.exit_code, result.output) == (1, "error: m runs no configuration\n")
    assert prov_sim("fault", "reboot", "nobody").exit_code == 1


def test_stop_ends_the_daemon(machine):
    assert prov_sim("stop").output == "the daemon 'default' has stopped\n"


def test_importing_the_provider_loads_nothing_heavy():
    """Neither the package nor its provider nor its commands; `prov --help` and `prov validate` need them."""
    code = (
        "import sys, prov_sim, prov_sim.cli; prov_sim.provider; "
        "heavy = {'grpclib', 'cryptography', 'aiohttp', 'google.protobuf'} & set(sys.modules); "
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-", "x" * 40])
def test_a_daemon_has_a_plain_name(name):
    with pytest.raises(ProvError, match="no name for a daemon"):
        place_of(name, {"PROV_SIM_DIR": "/nowhere"})
