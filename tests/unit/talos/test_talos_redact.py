"""Which leaves of a configuration read from a node get the mark of a secret."""

from __future__ import annotations

import pytest

from provisioner.model.value import Origin, Secret, Sourced, Value, leaves, reveal
from provisioner.talos.config.encode import decode
from provisioner.talos.config.redact import mark_secrets, without_secrets

FULL = """
machine:
  type: worker
  token: planted
  ca: {crt: public, key: planted}
  registries:
    config:
      example.org:
        auth: {username: public, password: planted, auth: planted, identityToken: planted}
        tls: {clientIdentity: {crt: public, key: planted}}
  network:
    interfaces:
      - interface: wg0
        wireguard: {privateKey: planted, peers: [{publicKey: public, presharedKey: planted}]}
        vip: {ip: 10.0.0.1, hcloud: {apiToken: planted}}
  systemDiskEncryption: {state: {keys: [{slot: 0, static: {passphrase: planted}}]}}
cluster:
  id: public
  secret: planted
  token: planted
  aescbcEncryptionSecret: planted
  secretboxEncryptionSecret: planted
  ca: {crt: public, key: planted}
  aggregatorCA: {crt: public, key: planted}
  serviceAccount: {key: planted}
  etcd: {ca: {crt: public, key: planted}}
  extraManifestHeaders: {Authorization: planted}
---
{apiVersion: v1alpha1, kind: WireguardConfig, name: wg1, privateKey: planted, peers: [{presharedKey: planted}]}
---
{apiVersion: v1alpha1, kind: HCloudVIPConfig, name: 10.0.0.1, apiToken: planted}
---
{apiVersion: v1alpha1, kind: RegistryAuthConfig, name: ghcr.io, username: public, password: planted, auth: planted}
---
{apiVersion: v1alpha1, kind: RegistryTLSConfig, name: ghcr.io, clientIdentity: {crt: public, key: planted}}
---
{apiVersion: v1alpha1, kind: SideroLinkConfig, apiUrl: planted, uniqueToken: planted}
---
{apiVersion: v1alpha1, kind: ExtensionServiceConfig, name: x, configFiles: [{content: planted, mountPath: /a}],
 environment: [planted]}
---
{apiVersion: v1alpha1, kind: UserVolumeConfig, name: data, encryption: {keys: [{static: {passphrase: planted}}]}}
---
{apiVersion: v1alpha1, kind: DiscoveryIdentityConfig, clusterID: public, clusterSecret: planted}
"""


def test_all_secrets_get_the_mark_and_nothing_else_does() -> None:
    for document in mark_secrets(decode(FULL)):
        for path, leaf in leaves(document):
            assert (reveal(leaf) == "planted") == isinstance(leaf, Secret), path


def test_marking_changes_no_value() -> None:
    assert [reveal(each) for each in decode(FULL)] == [reveal(each) for each in mark_secrets(decode(FULL))]


@pytest.mark.parametrize("empty", ["", None])
def test_empty_leaves_stay_plain(empty: Value) -> None:
    """The empty key of a worker's authority tells that there is none; it hides nothing."""
    document: dict[str, Value] = {"machine": {"ca": {"key": empty}}}
    assert (document,) == mark_secrets([document])


def test_origins_survive_the_mark() -> None:
    origin = Origin("p.yaml", 4)
    marked = mark_secrets([{"machine": {"token": Sourced("planted", origin)}}])
    assert ({"machine": {"token": Sourced(Secret("planted"), origin)}},) == marked


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ('pass"w\nörd-long', "***"),
        ('pass\\"w\\nörd-long', "***"),
        ('pass\\"w\\n\\u00f6rd-long', "***"),
        ('`pass"w\n...`', "***"),
    ],
    ids=["plain", "escaped", "escaped to ASCII", "cut short"],
)
def test_a_machine_quotes_no_secret_in_any_form(quoted: str, shown: str) -> None:
    """Plainly, with escapes, or as the beginning of a long value."""
    documents = [{"machine": {"token": Secret('pass"w\nörd-long')}}]

    assert without_secrets(f"cannot use {quoted} here", documents) == f"cannot use {shown} here"


def test_a_secret_within_another_leaves_nothing_of_it() -> None:
    documents = [{"a": Secret("word"), "b": Secret("password-and-word")}]

    assert without_secrets("bad password-and-word", documents) == "bad ***"
