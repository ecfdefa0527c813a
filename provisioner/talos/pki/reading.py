"""Secrets that were made elsewhere: Talos's secrets.yaml, the same as JSON, or a control plane's configuration.

What is read is looked at closely, for a bundle that does not hang together shows only once machines have it.
Errors name the entry by its path in what was read, and never quote a value.

Source: siderolabs/talos v1.14, `config/generate/secrets`, whose JSON form has the same keys with capitals.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from provisioner.sdk import Value, strip_origins
from provisioner.talos.pki.bundle import Bundle, KeyPair
from provisioner.talos.pki.flaw import Flaw, Path

_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_PAIRS = {
    "certs.etcd": "etcd",
    "certs.k8s": "k8s",
    "certs.k8saggregator": "k8s_aggregator",
    "certs.os": "os",
}
_ROOT = {
    "cluster.id": "cluster.id",
    "cluster.secret": "cluster.secret",
    "cluster.token": "secrets.bootstraptoken",
    "cluster.secretboxEncryptionSecret": "secrets.secretboxencryptionsecret",
    "cluster.aescbcEncryptionSecret": "secrets.aescbcencryptionsecret",
    "machine.token": "trustdinfo.token",
    "cluster.etcd.ca.crt": "certs.etcd.crt",
    "cluster.etcd.ca.key": "certs.etcd.key",
    "cluster.ca.crt": "certs.k8s.crt",
    "cluster.ca.key": "certs.k8s.key",
    "cluster.aggregatorCA.crt": "certs.k8saggregator.crt",
    "cluster.aggregatorCA.key": "certs.k8saggregator.key",
    "cluster.serviceAccount.key": "certs.k8sserviceaccount.key",
    "machine.ca.crt": "certs.os.crt",
    "machine.ca.key": "certs.os.key",
}
"""Where the root document of a configuration has what; certificates and keys as base64 of PEM."""
_DOCUMENTS = {
    ("DiscoveryIdentityConfig", "clusterID"): "cluster.id",
    ("DiscoveryIdentityConfig", "clusterSecret"): "cluster.secret",
    ("KubeAPIServerCAConfig", "issuingCA.cert"): "certs.k8s.crt",
    ("KubeAPIServerCAConfig", "issuingCA.key"): "certs.k8s.key",
    ("KubeAggregatorCAConfig", "issuingCA.cert"): "certs.k8saggregator.crt",
    ("KubeAggregatorCAConfig", "issuingCA.key"): "certs.k8saggregator.key",
    ("KubeServiceAccountConfig", "issuer.privateKey"): "certs.k8sserviceaccount.key",
}
"""Where the documents of 1.14 have it; certificates and keys as PEM."""
_ENCRYPTION = "KubeEtcdEncryptionConfig"
_KEY_NAME = "key2"
"""What the key for Secrets in etcd is called; the name is stored with everything it encrypts."""


def read_bundle(documents: Sequence[Mapping[str, Value]], now: datetime) -> Bundle:
    """The bundle in a file's documents, whatever its form; raises Flaw with the first thing that is wrong."""
    if not documents:
        raise Flaw((), "the file is empty", "name a secrets.yaml, or the configuration of a control plane")
    plain = [_stripped(each) for each in documents]
    found = _of_config(plain) if _is_config(plain) else _of_secrets(plain[0])
    return _checked(found, now)


_Leaf = tuple[Path, str]
"""Where a value was found, and the value; certificates and keys as PEM."""


def _is_config(documents: Sequence[Mapping[str, Value]]) -> bool:
    return any("machine" in each or "kind" in each for each in documents)


def _of_secrets(tree: Mapping[str, Value]) -> dict[str, _Leaf]:
    """The leaves of secrets.yaml, or of its JSON form, by path in lower case."""
    found: dict[str, _Leaf] = {}
    for path, value in _leaves(tree, (0,)):
        name = ".".join(map(str, path[1:])).lower()
        found[name] = (path, _decoded(path, value) if name.startswith("certs.") else value)
    return found


def _of_config(documents: Sequence[Mapping[str, Value]]) -> dict[str, _Leaf]:
    """The same leaves out of a configuration."""
    found: dict[str, _Leaf] = {}
    for number, document in enumerate(documents):
        kind = document.get("kind")
        if kind is None:
            _refuse_worker(document, number)
        for path, value in _leaves(document, (number,)):
            below = ".".join(map(str, path[1:]))
            name = _ROOT.get(below, "") if kind is None else _DOCUMENTS.get((str(kind), below), "")
            if name and value:
                packed = kind is None and name.startswith("certs.")
                found[name] = (path, _decoded(path, value) if packed else value)
        if kind == _ENCRYPTION:
            found["secrets.secretboxencryptionsecret"] = _encryption(document, number)
    return found


def _refuse_worker(document: Mapping[str, Value], number: int) -> None:
    machine = document.get("machine")
    if isinstance(machine, Mapping) and machine.get("type") == "worker":
        raise Flaw(
            (number, "machine", "type"),
            "this is the configuration of a worker, which has none of the keys",
            "use the configuration of a control plane, or secrets.yaml",
        )


def _encryption(document: Mapping[str, Value], number: int) -> _Leaf:
    """The key for Secrets in etcd; the document can say much more than a bundle can hold."""
    path: Path = (number, "config", "resources")
    config = document.get("config")
    rules = config.get("resources") if isinstance(config, Mapping) else None
    for at, rule in enumerate(rules if isinstance(rules, tuple) else ()):
        if not isinstance(rule, Mapping) or "secrets" not in _items(rule.get("resources")):
            continue
        providers = _items(rule.get("providers"))
        first = providers[0] if providers else None
        box = first.get("secretbox") if isinstance(first, Mapping) else None
        keys = _items(box.get("keys")) if isinstance(box, Mapping) else ()
        where = (*path, at, "providers", 0, "secretbox", "keys")
        if len(keys) == 1 and isinstance(keys[0], Mapping) and keys[0].get("name") == _KEY_NAME:
            return ((*where, 0, "secret"), str(keys[0].get("secret", "")))
        raise Flaw(
            where,
            f"prov knows one secretbox key called {_KEY_NAME}, and this is something else",
            "encrypt all Secrets anew with such a key first, for what others encrypted would be lost",
        )
    raise Flaw(path, "nothing here encrypts Secrets", "add a secretbox key for them")


def _items(value: Value | None) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _checked(found: Mapping[str, _Leaf], now: datetime) -> Bundle:
    from provisioner.talos.pki.vetting import vet_key, vet_pair  # heavy: the crypto library

    _refuse_aescbc(found)
    for name in _PAIRS:
        crt, key = _need(found, f"{name}.crt"), _need(found, f"{name}.key")
        vet_pair(KeyPair(crt=crt[1], key=key[1]), now, crt[0], key[0])
    path, signer = _need(found, "certs.k8sserviceaccount.key")
    vet_key(signer, path)
    return Bundle(
        cluster_id=_need(found, "cluster.id")[1],
        cluster_secret=_32_bytes(found, "cluster.secret"),
        bootstrap_token=_token(found, "secrets.bootstraptoken"),
        secretbox_secret=_32_bytes(found, "secrets.secretboxencryptionsecret"),
        trustd_token=_token(found, "trustdinfo.token"),
        k8s_service_account=signer,
        **{field: KeyPair(found[f"{name}.crt"][1], found[f"{name}.key"][1]) for name, field in _PAIRS.items()},
    )


def _refuse_aescbc(found: Mapping[str, _Leaf]) -> None:
    if "secrets.aescbcencryptionsecret" in found and "secrets.secretboxencryptionsecret" not in found:
        raise Flaw(
            found["secrets.aescbcencryptionsecret"][0],
            "Secrets are encrypted with AES-CBC, which prov does not set up",
            "encrypt all Secrets anew with secretbox first, for what AES-CBC encrypted would be lost",
        )


def _need(found: Mapping[str, _Leaf], name: str) -> _Leaf:
    if name not in found or not found[name][1]:
        raise Flaw(
            found[name][0] if name in found else (),
            "this is empty" if name in found else f"{name} is missing",
            "complete the file; a whole bundle is what `talosctl gen secrets` writes, and what control planes have",
        )
    return found[name]


def _32_bytes(found: Mapping[str, _Leaf], name: str) -> str:
    path, text = _need(found, name)
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != 32:
        raise Flaw(path, "this is not base64 of 32 bytes", "copy it whole")
    return text


def _token(found: Mapping[str, _Leaf], name: str) -> str:
    path, text = _need(found, name)
    if not _TOKEN.fullmatch(text):
        raise Flaw(path, "a token has 6 and 16 of a-z and 0-9, with a point between", "copy it whole")
    return text


def _decoded(path: Path, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise Flaw(path, "this is not base64 of a PEM text", "copy it whole, in one line") from None


def _leaves(value: Value, path: Path) -> list[tuple[Path, str]]:
    """The texts inside a document, with their paths; other leaves are nothing a bundle has."""
    match value:
        case Mapping():
            return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
        case tuple():
            return [leaf for at, item in enumerate(value) for leaf in _leaves(item, (*path, at))]
        case str():
            return [(path, value)]
        case _:
            return []


def _stripped(document: Mapping[str, Value]) -> Mapping[str, Value]:
    plain = strip_origins(document)
    assert isinstance(plain, Mapping), "a document stays one"
    return plain
