"""What a run that was killed has begun is served by a command of its own, which another apply may go on beside."""

from __future__ import annotations

import json
import signal
import socket
import time
from http.client import HTTPConnection
from typing import Any

import pytest
from fakes.lab import Lab, cluster

from provisioner.state.identity import identity_to_open
from provisioner.state.sqlite_store import SqliteStore

DEADLINE_S = 60.0
CONFIG = "machine: {token: planted-token}\n"


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _file(lab: Lab, port: int) -> dict[str, Any]:
    """A host that boots over the network, behind a BMC that does not answer."""
    for name in ("kernel", "initramfs", "cmdline"):
        (lab.folder / name).write_text(f"{name}\n")
    host = {
        "host": "r1u1",
        "address": "127.0.0.9",
        "bmc": "redfish+http://127.0.0.1:1",
        "image": "none.iso",
        "user_data": CONFIG,
        "authority": "",
        "authority_key": "",
        "boot": ["network"],
        "trust": "network",
        "macs": ["52:54:00:00:00:01"],
        **{name: str(lab.folder / name) for name in ("kernel", "initramfs", "cmdline")},
    }
    providers = {"rack": {"type": "metal", "serve": f"127.0.0.1:{port}"}}
    resources = {"one": {"kind": "metal.host", "provider": "rack", "props": host}}
    return {"version": 1, "name": "lab", "providers": providers, "resources": resources}


def _killed_while_it_makes_the_host(lab: Lab) -> None:
    run = lab.start("apply", "--yes")
    until = time.monotonic() + DEADLINE_S
    while "metal.host/one" not in lab.prov("state", "list").stdout:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < until, "the intent never comes on record"
    run.kill()
    run.communicate()


def _asked(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def test_a_host_finds_its_configuration_after_the_run_was_killed(lab: Lab) -> None:
    """At the address that follows from the state; who asks is shown, secrets and tokens are not."""
    port = _port()
    lab.write(_file(lab, port))
    _killed_while_it_makes_the_host(lab)
    serve = lab.start("serve", "--json")
    assert serve.stdout is not None
    began = json.loads(serve.stdout.readline())
    menu = _asked(port, "/boot.ipxe")
    _, script = _asked(port, "/mac/52-54-00-00-00-01.ipxe")
    place = next(word for word in script.split() if word.startswith("talos.config=")).partition(f":{port}")[2]
    config = _asked(port, place.partition("?")[0])
    other = _asked(port, place.partition("?")[0].replace("r1u1", "r1u2"))
    told = [json.loads(serve.stdout.readline()) for _ in range(4)]
    serve.send_signal(signal.SIGINT)
    rest, said = serve.communicate(timeout=DEADLINE_S)

    assert began == {"event": "Serving", "address": "metal.host/one", "waits": ""}
    assert menu[0] == 200
    assert config == (200, CONFIG)
    assert other[0] == 404
    assert [(one["name"], one["what"], one["status"]) for one in told] == [
        ("", "menu", 200),
        ("r1u1", "script", 200),
        ("r1u1", "config", 200),
        ("", "config", 404),
    ]
    assert serve.returncode == 0
    identity = identity_to_open({"PROV_AGE_KEY_FILE": lab.environ["PROV_AGE_KEY_FILE"]})
    token = SqliteStore(lab.folder / ".prov/lab.db", "lab", identity).derive("metal boot r1u1 1")[:32]
    assert place.startswith(f"/{token}/r1u1.yaml")
    assert token not in json.dumps([began, *told]) + rest + said
    assert token.encode() not in b"".join(path.read_bytes() for path in (lab.folder / ".prov").iterdir())
    assert "planted-token" not in json.dumps([began, *told]) + rest + said


@pytest.mark.parametrize("format_", [(), ("--json",)])
def test_a_file_with_nothing_to_serve_says_so(lab: Lab, format_: tuple[str, ...]) -> None:
    lab.write(cluster(control=1, workers=0))
    refused = lab.prov("serve", *format_, code=1)

    assert "there is nothing to serve" in refused.stdout + refused.stderr
