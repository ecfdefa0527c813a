"""Which leaves of a configuration read from a node get the mark of a secret."""

from __future__ import annotations

import pytest

from provisioner.model.value import Origin, Secret, Sourced, Value, leaves, reveal
from provisioner.talos.config.encode import decode
from provisioner.talos.config.redact import mark_secrets, named_secret, without_secrets

FULL = """
machine:
  type: worker
  token: planted
  env: {TOKEN: planted}
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
---
{apiVersion: v1alpha1, kind: KubeAPIServerCAConfig, issuingCA: {cert: public, key: planted}, acceptedCAs: [public]}
---
{apiVersion: v1alpha1, kind: KubeAggregatorCAConfig, issuingCA: {cert: public, key: planted}}
---
{apiVersion: v1alpha1, kind: KubeServiceAccountConfig, issuer: {privateKey: planted, issuerURL: public},
 accepted: {publicKeys: [public]}}
---
{apiVersion: v1alpha1, kind: KubeEtcdEncryptionConfig,
 config: {resources: [{resources: [public], providers: [{secretbox: {keys: [{name: public, secret: planted}]}}]}]}}
---
{apiVersion: v1alpha1, kind: KubeExternalManifestConfig, name: public, url: public, headers: {a: planted}}
---
{apiVersion: v1alpha1, kind: ContainerConfig, name: public, environment: [planted]}
---
{apiVersion: v1alpha1, kind: VolumeConfig, name: STATE, encryption: {keys: [{static: {passphrase: planted}}]}}
---
{apiVersion: v1alpha1, kind: RawVolumeConfig, name: raw, encryption: {keys: [{static: {passphrase: planted}}]}}
---
{apiVersion: v1alpha1, kind: SwapVolumeConfig, name: swap, encryption: {keys: [{static: {passphrase: planted}}]}}
---
{apiVersion: v1alpha1, kind: EnvironmentConfig, variables: {http_proxy: "http://me:planted@proxy", TOKEN: planted}}
---
{apiVersion: v1alpha1, kind: EtcFileConfig, name: public, contents: "-----BEGIN EC PRIVATE KEY-----\\nplanted"}
---
{apiVersion: v1alpha1, kind: KubeInlineManifestConfig, name: public,
 manifest: "apiVersion: v1\\nkind: Secret\\ndata: {a: planted}\\n"}
---
{apiVersion: v1alpha1, kind: KubeInlineManifestConfig, name: public2,
 manifest: "apiVersion: v1\\nkind: ConfigMap\\ndata: {a: public}\\n"}
"""


def test_all_secrets_get_the_mark_and_nothing_else_does() -> None:
    for document in mark_secrets(decode(FULL)):
        for path, leaf in leaves(document):
            assert ("planted" in str(reveal(leaf))) == isinstance(leaf, Secret), path


def test_marking_changes_no_value() -> None:
    assert [reveal(each) for each in decode(FULL)] == [reveal(each) for each in mark_secrets(decode(FULL))]


@pytest.mark.parametrize("empty", ["", None])
def test_empty_leaves_stay_plain(empty: Value) -> None:
    """The empty key of a worker's authority tells that there is none; it hides nothing."""
    document: dict[str, Value] = {"machine": {"ca": {"key": empty}}}
    assert (document,) == mark_secrets([document])


def test_a_document_from_a_file_of_the_user_is_known_by_its_kind() -> None:
    """There the kind has an origin as well."""
    origin = Origin("p.yaml", 4)
    document: dict[str, Value] = {
        "kind": Sourced("ExtensionServiceConfig", origin),
        "environment": (Sourced("A=planted", origin),),
    }
    assert "planted" not in repr(mark_secrets([document]))


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


@pytest.mark.parametrize(
    ("expected", "name", "value"),
    [
        (False, "HTTP_PROXY", "http://proxy.example.org:3128"),
        (False, "HTTP_PROXY", "http://user@proxy.example.org:3128"),
        (False, "NO_PROXY", "10.0.0.0/8,fd00::/8,mail@example.org"),
        (True, "HTTP_PROXY", "http://user:planted@proxy.example.org:3128"),
        (True, "HTTP_PROXY", "user:planted@proxy.example.org:3128"),
        (False, "GRPC_GO_LOG_SEVERITY_LEVEL", "warning-and-above"),
        (True, "API_TOKEN", "planted"),
        (True, "PGPASSWORD", "planted"),
        (True, "TS_AUTHKEY", "planted"),
        (True, "AWS_SECRET_ACCESS_KEY", "planted"),
        (False, "AWS_ACCESS_KEY_ID", "public"),
        (False, "API_TOKEN_FILE", "/etc/api/token"),
        (False, "KEYBOARD", "public"),
        (True, "SIGNING_KEY", "planted"),
    ],
)
def test_a_variable_is_a_secret_by_its_name_or_by_credentials_in_it(expected: bool, name: str, value: str) -> None:
    """In an environment as a mapping and as a list; it is hidden in either case."""
    mapping: dict[str, Value] = {"kind": "EnvironmentConfig", "variables": {name: value}}
    listing: dict[str, Value] = {"kind": "ContainerConfig", "environment": (f"{name}={value}",)}

    assert named_secret(mapping, ("variables", name), value) == expected
    assert named_secret(listing, ("environment", 0), f"{name}={value}") == expected
    assert value not in repr(mark_secrets([mapping, listing]))


def test_what_is_marked_elsewhere_is_a_secret_whatever_it_says() -> None:
    assert named_secret({"machine": {"token": "abc"}}, ("machine", "token"), "abc")
