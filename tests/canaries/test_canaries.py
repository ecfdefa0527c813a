"""Secrets are planted in every input, and appear in no output, log, event, plan, error, state or command line.

All commands run with every logger at DEBUG and PROV_DEBUG=1. The places where secrets belong are left out: the
files that open a cluster, and what `prov output NAME` was asked for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from canaries.aviary import Aviary
from canaries.search import find
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fakes.lab import Lab, cluster
from prov_sim.control import Control
from prov_sim.place import place_of

from provisioner.model.address import Address
from provisioner.model.value import Secret, leaves
from provisioner.state.identity import find_identity
from provisioner.state.sealed import unwrap
from provisioner.state.sqlite_store import SqliteStore

pytestmark = pytest.mark.slow

ENV = {
    "CANARY_ENV": 'envy/canary+one "x" & ünlike',
    "CANARY_PART": "partly-canary-7Qm2zPw0",
    "CANARY_OUTPUT": "output-canary-5gT8uKc1",
    "CANARY_DATA": "#userdata-canary-9vB3nHs6",
    "CANARY_TOKEN": "token-canary-4rF6yJd8",
}
INLINE = {
    "password": "password-canary-2hN6tRx4",
    "auth": "auth-canary-8kM1bVq3",
    "wireguard": base64.b64encode(b"wireguard-canary-0123456789abcde").decode(),
    "preshared": base64.b64encode(b"preshared-canary-0123456789abcde").decode(),
    "passphrase": "passphrase-canary-6wZ5cLj9",
    "old": "before-canary-3sD7pGf2",
    "drift": "drifting-canary-1aE4iUo7",
}
AGE = "AGE-SECRET-KEY-"


@pytest.fixture
def aviary(lab: Lab) -> Aviary:
    """A laboratory of which nothing has been seen yet."""
    return Aviary(lab)


@pytest.mark.timeout(900)
def test_no_canary_gets_out_of_a_life_of_a_cluster(aviary: Aviary) -> None:
    """Planned, applied from a file, changed, drifted, looked at, broken by the provider, destroyed."""
    lab = aviary.lab
    lab.write(_document(INLINE["old"]))
    _read_only(aviary, 2)
    aviary.run("plan", "--out", "first.plan", code=2, **ENV)
    aviary.run("apply", "--plan", "first.plan", "--yes", "--json", **ENV)
    canaries = {**_planted(), **_made(lab)}
    _read_only(aviary, 0)
    aviary.run("kubeconfig", keep=False, **ENV)
    aviary.run("output", "word", keep=False, **ENV)

    lab.write(_document(INLINE["password"]))
    others = {**ENV, "CANARY_ENV": 'other/canary+two "y" & ünlike', "CANARY_PART": "another-canary-8dK3xWn5"}
    aviary.run("plan", code=2, **others)
    aviary.run("plan", "--json", code=2, **others)
    aviary.run("apply", "--yes", **others)
    canaries |= {f"{name}, changed": value.encode() for name, value in others.items()}

    control = Control(place_of("default", lab.environ))
    path = "machine.registries.config.quay.auth.password"
    control.ask("edit", machine="workers-1", path=path, value=INLINE["drift"])
    aviary.run("plan", code=2, **others)
    control.ask("fail", call="ApplyConfiguration", kind="lost", times=2, machine="")
    aviary.run("apply", "--yes", **others)

    aviary.run("plan", "--destroy", code=2, **others)
    aviary.run("destroy", "--yes", "--json", **others)
    aviary.blobs["the simulator's listing"] = json.dumps(lab.sim()).encode()

    assert len(aviary.blobs) > 100
    assert any(b"DEBUG:" in blob for name, blob in aviary.blobs.items() if name.endswith(": log"))
    assert find(canaries, aviary.blobs) == []


def test_no_canary_gets_out_of_an_apply_that_fails(aviary: Aviary) -> None:
    """A machine refuses a configuration for a secret in it; the provider refuses with secrets in its hands."""
    lab = aviary.lab
    lab.write(_document(INLINE["password"], extra=[{"cluster": {"token": "${env.CANARY_TOKEN}"}}]))
    for kind in ("denied", "error", "lost"):
        Control(place_of("default", lab.environ)).call("fail", call="create_machine", kind=kind, times=1, machine="")
    aviary.run("apply", "--yes", "--json", code=3, **ENV)
    aviary.run("apply", "--yes", code=3, **ENV)
    canaries = {**_planted(), **_made(lab)}
    aviary.run("status", "--json", code=1, **ENV)
    aviary.run("plan", code=2, **ENV)
    aviary.run("destroy", "--yes", **ENV)

    assert b"rejects its configuration" in b"".join(aviary.blobs.values())
    assert find(canaries, aviary.blobs) == []


WRONG: Mapping[str, Mapping[str, Any]] = {
    "a count": {"pools": {"control": {"role": "controlplane", "provider": "sim", "count": "${env.CANARY_ENV}"}}},
    "a size": {
        "pools": {"control": {"role": "controlplane", "provider": "sim", "count": 1, "size": "${env.CANARY_ENV}"}}
    },
    "a zone": {"pools": {"control": {"role": "controlplane", "count": 1, "zones": ["${env.CANARY_ENV}"]}}},
    "a role": {"pools": {"control": {"role": "${env.CANARY_ENV}", "count": 1}}},
    "a release": {"talos": {"version": "${env.CANARY_ENV}"}},
    "an endpoint": {"endpoint": "https://${env.CANARY_ENV}:6443"},
    "a setting": {"providers": {"sim": {"time_scale": "${env.CANARY_ENV}"}}},
    "an unknown setting": {"providers": {"sim": {"time_scale": 0, "${env.CANARY_ENV}": "${env.CANARY_ENV}"}}},
    "a sum": {"outputs": {"sum": "${env.CANARY_ENV + 1}"}},
    "a number": {"outputs": {"number": "${int(env.CANARY_ENV)}"}},
    "a place in a text": {"outputs": {"place": '${env.CANARY_ENV.split("/")[7]}'}},
    "a patch": {"patches": ["${env.CANARY_ENV}"]},
    "a list in a patch": {"patches": [{"machine": {"sysctls": ["${env.CANARY_ENV}"]}}]},
    "a patch of a patch": {"patches": [{"machine": {"type": "${env.CANARY_ENV}"}}]},
    "a kind": {"resources": {"it": {"kind": "${env.CANARY_ENV}"}}},
    "a property": {
        "resources": {
            "it": {"kind": "sim.machine", "props": {"name": "it", "group": "g", "cpus": "${env.CANARY_ENV}"}}
        }
    },
    "a name of a thing": {
        "resources": {"it": {"kind": "sim.balancer", "props": {"name": "${env.CANARY_ENV}", "group": "g"}}}
    },
}


@pytest.mark.parametrize("where", WRONG)
def test_no_canary_gets_out_of_an_error_in_the_file(aviary: Aviary, where: str) -> None:
    """A secret where none may stand, or in an expression that cannot be computed."""
    aviary.lab.write(cluster(1, 0, **WRONG[where]))

    for command in (["validate"], ["plan"], ["plan", "--json"]):
        aviary.run(*command, code=None, **ENV)

    assert find({"CANARY_ENV": ENV["CANARY_ENV"].encode()}, aviary.blobs) == []


def _read_only(aviary: Aviary, changes: int) -> None:
    """Everything that only looks; `changes` is the exit code of a plan."""
    aviary.run("validate", **ENV)
    aviary.run("plan", code=changes, **ENV)
    aviary.run("plan", "--json", code=changes, **ENV)
    if changes == 0:
        for command in ("status", "output"):
            aviary.run(command, **ENV)
            aviary.run(command, "--json", **ENV)


def _document(password: str, extra: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    secrets: dict[str, Any] = {
        "machine": {
            "registries": {
                "config": {
                    "quay": {"auth": {"username": "u", "password": password}},
                    "ghcr": {"auth": {"auth": INLINE["auth"]}},
                }
            },
            "network": {
                "interfaces": [
                    {
                        "interface": "wg0",
                        "wireguard": {
                            "privateKey": INLINE["wireguard"],
                            "peers": [{"publicKey": "x", "presharedKey": INLINE["preshared"]}],
                        },
                    }
                ]
            },
            "env": {"HTTP_PROXY": "http://me:${env.CANARY_PART}@proxy:3128"},
            "sysctls": {"kernel.hidden": "${env.CANARY_ENV}"},
            "systemDiskEncryption": {
                "state": {"keys": [{"slot": 0, "static": {"passphrase": INLINE["passphrase"]}}]}
            },
        }
    }
    document = cluster(
        1,
        1,
        patches=[secrets, *(extra or [])],
        outputs={"word": "${env.CANARY_OUTPUT}", "part": "at ${env.CANARY_OUTPUT}"},
        resources={
            "spare": {
                "kind": "sim.machine",
                "provider": "sim",
                "props": {
                    "name": "spare",
                    "group": "spare",
                    "role": "worker",
                    "cpus": 1,
                    "memory_mib": 1024,
                    "image": "v1.13.9",
                    "time_scale": 0.0,
                    "user_data": "${env.CANARY_DATA}",
                },
            }
        },
    )
    document["providers"]["sim"]["delivery"] = "api"
    return document


def _planted() -> dict[str, bytes]:
    return {name: value.encode() for name, value in {**ENV, **INLINE}.items()}


def _made(lab: Lab) -> dict[str, bytes]:
    """What prov itself made: tokens, keys as text and as the numbers in them, the data key, the age identity."""
    identity = find_identity(lab.environ)
    assert identity is not None
    store = SqliteStore(lab.folder / ".prov/lab.db", "lab", lambda: identity)
    outputs = store.load().entries[Address("talos.secrets", "cluster")].outputs
    age = next(line for line in identity.text.split() if line.startswith(AGE))
    found = {"data key": unwrap(store.vault().wrapped, identity), "age identity": age.removeprefix(AGE).encode()}
    store.close()
    for path, leaf in leaves(outputs):
        if isinstance(leaf, Secret):
            name = ".".join(map(str, path))
            found[name] = str(leaf.reveal()).encode()
            if path[0] == "certs":
                found[f"{name}, the number"] = _number(base64.b64decode(found[name]))
    return found


def _number(pem: bytes) -> bytes:
    """What is secret in a key: the rest of its file is in certificates as well."""
    if b"ED25519" in pem:
        pem = pem.replace(b"ED25519 PRIVATE KEY", b"PRIVATE KEY")
    key = load_pem_private_key(pem, None)
    match key:
        case EllipticCurvePrivateKey():
            return key.private_numbers().private_value.to_bytes(32)
        case RSAPrivateKey():
            return key.private_numbers().p.to_bytes(key.key_size // 16)
        case Ed25519PrivateKey():
            return key.private_bytes_raw()
        case _:
            raise AssertionError(f"a key of another kind: {type(key).__name__}")
