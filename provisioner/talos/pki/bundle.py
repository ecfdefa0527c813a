"""A cluster's secrets bundle: everything that is made once and never again.

As a tree it has the layout of Talos's `secrets.yaml`, so either tool can read the other's. Certificates and
keys stand there as base64 of their PEM text. Source: siderolabs/talos v1.13, `generate/secrets`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import field, frozen

from provisioner.sdk import ProvError, Secret, Value, dig, reveal
from provisioner.talos.versions import Contract

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class BundleError(ProvError):
    """A tree that is not a secrets bundle."""

    code = "secrets-bundle"


@frozen
class KeyPair:
    """A certificate and its private key, both as PEM text."""

    crt: str
    key: str = field(repr=False)


@frozen
class Bundle:
    """The secrets of one cluster. Keys are PEM texts; printing shows none of them.

    cluster_id        names the cluster to discovery; any text, kept for life
    cluster_secret    base64 of 32 bytes, encrypts what discovery carries
    bootstrap_token   with which kubelets join, `abcdef.0123456789abcdef`
    secretbox_secret  base64 of 32 bytes, encrypts Kubernetes secrets in etcd
    trustd_token      with which workers ask for their certificate, same form as the bootstrap token
    """

    cluster_id: str
    cluster_secret: str = field(repr=False)
    bootstrap_token: str = field(repr=False)
    secretbox_secret: str = field(repr=False)
    trustd_token: str = field(repr=False)
    etcd: KeyPair
    k8s: KeyPair
    k8s_aggregator: KeyPair
    os: KeyPair
    k8s_service_account: str = field(repr=False)


def generate(contract: Contract, *, now: datetime, random: Callable[[int], bytes]) -> Bundle:
    """A new bundle, its authorities valid from `now`.

    `random(n)` gives n random bytes. Private keys are the exception: the crypto library makes them from
    randomness of its own.
    """
    # Loaded here because the crypto library is heavy and reading a bundle needs none of it.
    from provisioner.talos.pki import keys
    from provisioner.talos.pki.authority import authority

    encode_id = base64.urlsafe_b64encode if contract.url_safe_cluster_id else base64.b64encode
    return Bundle(
        cluster_id=encode_id(random(32)).decode(),
        cluster_secret=base64.b64encode(random(32)).decode(),
        bootstrap_token=_token(random),
        secretbox_secret=base64.b64encode(random(32)).decode(),
        trustd_token=_token(random),
        etcd=authority("etcd", keys.ecdsa_p256(), now=now, random=random),
        k8s=authority("kubernetes", keys.ecdsa_p256(), now=now, random=random),
        k8s_aggregator=authority("", keys.ecdsa_p256(), now=now, random=random),
        os=authority("talos", keys.ed25519(), now=now, random=random),
        k8s_service_account=keys.to_pem(keys.rsa_4096()),
    )


def to_tree(bundle: Bundle) -> dict[str, Value]:
    """The bundle in the layout of `secrets.yaml`; private leaves are secret, the others plain."""
    return {
        "cluster": {"id": bundle.cluster_id, "secret": Secret(bundle.cluster_secret)},
        "secrets": {
            "bootstraptoken": Secret(bundle.bootstrap_token),
            "secretboxencryptionsecret": Secret(bundle.secretbox_secret),
        },
        "trustdinfo": {"token": Secret(bundle.trustd_token)},
        "certs": {
            "etcd": _pair_tree(bundle.etcd),
            "k8s": _pair_tree(bundle.k8s),
            "k8saggregator": _pair_tree(bundle.k8s_aggregator),
            "k8sserviceaccount": {"key": Secret(_b64(bundle.k8s_service_account))},
            "os": _pair_tree(bundle.os),
        },
    }


def from_tree(tree: Mapping[str, Value]) -> Bundle:
    """Reads the layout of `secrets.yaml`; raises BundleError naming the first entry that is missing or wrong."""
    return Bundle(
        cluster_id=_text(tree, "cluster.id"),
        cluster_secret=_text(tree, "cluster.secret"),
        bootstrap_token=_text(tree, "secrets.bootstraptoken"),
        secretbox_secret=_text(tree, "secrets.secretboxencryptionsecret"),
        trustd_token=_text(tree, "trustdinfo.token"),
        etcd=_pair(tree, "certs.etcd"),
        k8s=_pair(tree, "certs.k8s"),
        k8s_aggregator=_pair(tree, "certs.k8saggregator"),
        os=_pair(tree, "certs.os"),
        k8s_service_account=_pem(tree, "certs.k8sserviceaccount.key"),
    )


def to_json_tree(bundle: Bundle) -> dict[str, Value]:
    """The bundle in the layout of Talos's JSON form: the same with other keys."""
    return {_JSON_GROUPS[group]: _renamed(leaves, _JSON_KEYS) for group, leaves in to_tree(bundle).items()}


_JSON_GROUPS = {"cluster": "Cluster", "secrets": "Secrets", "trustdinfo": "TrustdInfo", "certs": "Certs"}
_JSON_KEYS = {
    "id": "Id",
    "secret": "Secret",
    "bootstraptoken": "BootstrapToken",
    "secretboxencryptionsecret": "SecretboxEncryptionSecret",
    "token": "Token",
    "etcd": "Etcd",
    "k8s": "K8s",
    "k8saggregator": "K8sAggregator",
    "k8sserviceaccount": "K8sServiceAccount",
    "os": "OS",
}


def _renamed(value: Value, names: Mapping[str, str]) -> Value:
    if not isinstance(value, Mapping):
        return value
    return {names[key]: _renamed(item, {"crt": "Crt", "key": "Key"}) for key, item in value.items()}


def _token(random: Callable[[int], bytes]) -> str:
    """A token of six and sixteen letters or digits, each equally likely."""
    letters: list[str] = []
    while len(letters) < 22:
        # 252 is the largest multiple of 36 in a byte: what lies above would favour the first letters.
        letters += [_ALPHABET[byte % 36] for byte in random(22 - len(letters)) if byte < 252]
    text = "".join(letters)
    return f"{text[:6]}.{text[6:]}"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _pair_tree(pair: KeyPair) -> dict[str, Value]:
    return {"crt": _b64(pair.crt), "key": Secret(_b64(pair.key))}


def _pair(tree: Mapping[str, Value], path: str) -> KeyPair:
    return KeyPair(crt=_pem(tree, f"{path}.crt"), key=_pem(tree, f"{path}.key"))


def _pem(tree: Mapping[str, Value], path: str) -> str:
    try:
        return base64.b64decode(_text(tree, path), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as err:
        raise _broken(f"{path} is not base64 of a PEM text") from err


def _text(tree: Mapping[str, Value], path: str) -> str:
    try:
        value = reveal(dig(tree, path))
    except KeyError as err:
        raise _broken(f"{path} is missing") from err
    if not isinstance(value, str) or not value:
        raise _broken(f"{path} is not a text")
    return value


def _broken(detail: str) -> BundleError:
    return BundleError(
        "the secrets bundle is incomplete or damaged",
        detail=detail,
        remedy="restore the bundle from a backup of the state; new secrets would lock out the running cluster",
    )
