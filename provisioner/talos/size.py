"""How large a configuration will be, before its secrets and addresses are known."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from provisioner.sdk import Call, Channel, Machine, Ref, Secret, Sourced, Value, channel
from provisioner.talos.config.encode import encode
from provisioner.talos.config.pem import pem
from provisioner.talos.design import SECRETS

_LENGTHS = {
    "cluster.id": 44,
    "cluster.secret": 44,
    "secrets.bootstraptoken": 23,
    "secrets.secretboxencryptionsecret": 44,
    "trustdinfo.token": 23,
}
_PEMS = {
    "certs.etcd.crt": ("CERTIFICATE", 387, 24),
    "certs.etcd.key": ("EC PRIVATE KEY", 121, 24),
    "certs.k8s.crt": ("CERTIFICATE", 399, 24),
    "certs.k8s.key": ("EC PRIVATE KEY", 121, 24),
    "certs.k8saggregator.crt": ("CERTIFICATE", 357, 24),
    "certs.k8saggregator.key": ("EC PRIVATE KEY", 121, 24),
    "certs.k8sserviceaccount.key": ("RSA PRIVATE KEY", 2350, 100),
    "certs.os.crt": ("CERTIFICATE", 323, 24),
    "certs.os.key": ("ED25519 PRIVATE KEY", 48, 12),
}
"""Of the bundle's leaves: label, length in bytes, and how many of them gzip spares, which was measured."""

_ADDRESS = 15
"""The length taken for what is not known yet: as a rule that is an address."""


def birth_channel(machine: Machine) -> Channel | None:
    """The way of a configuration into a machine that is born with it; None where nothing limits it."""
    try:
        through = channel(machine.platform) if machine.delivery == "user_data" else None
    except KeyError:  # a platform that a provider knows and prov does not
        return None
    return through if through and through.limit is not None else None


def foreseen_size(documents: Value, through: Channel) -> int:
    """About how much of a channel's limit a configuration will take, within a few percent.

    What compresses badly once it is known, keys and certificates, is stood in for by what compresses as badly.
    """
    assert isinstance(documents, tuple), "a configuration is a list of documents"
    return through.size(through.best(encode([_plain(each) for each in documents])))


def _plain(value: Value) -> Any:
    match value:
        case Ref(to, output) if to == SECRETS:
            return _secret(output)
        case Call("concat", args):
            return "".join(str(_plain(arg)) for arg in args)
        case Call("talos.pem", (Ref(to, path),)) if to == SECRETS:
            return pem(_secret(path))
        case Sourced():
            return _plain(value.value)
        case Secret():
            return _plain(value.reveal())
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case str() | bool() | int() | float() | None:
            return value
        case _:
            return _text(str(value), _ADDRESS)


def _secret(path: str) -> str:
    if path not in _PEMS:
        return _text(path, _LENGTHS.get(path, _ADDRESS))
    label, length, spared = _PEMS[path]
    body = base64.b64encode(bytes(spared) + _noise(path, length - spared)).decode()
    lines = "".join(f"{body[at : at + 64]}\n" for at in range(0, len(body), 64))
    return base64.b64encode(f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()).decode()


def _text(seed: str, length: int) -> str:
    return base64.b64encode(_noise(seed, length)).decode()[:length]


def _noise(seed: str, length: int) -> bytes:
    """Bytes as if by chance, and the same every time."""
    blocks = (hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(length // 32 + 1))
    return b"".join(blocks)[:length]
