"""Secrets that were made elsewhere: read in every form there is, and looked at before they are believed."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from attrs import evolve

from provisioner.model.functions import CORE
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Unknown, dig, evaluate, reveal
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.pki import keys
from provisioner.talos.pki.authority import authority
from provisioner.talos.pki.bundle import Bundle, KeyPair, to_json_tree, to_tree
from provisioner.talos.pki.certificate import kubernetes_admin
from provisioner.talos.pki.file import Documents
from provisioner.talos.pki.flaw import Flaw
from provisioner.talos.pki.reading import read_bundle
from provisioner.talos.provider import provider
from provisioner.talos.versions import KNOWN

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(text: str, now: datetime = NOW) -> Bundle:
    return read_bundle(Documents.of(text).trees, now)


def flaw(text: str, now: datetime = NOW) -> tuple[str, tuple[int, int]]:
    """What is wrong with a text, and at which line and column."""
    found = Documents.of(text)
    with pytest.raises(Flaw) as caught:
        read_bundle(found.trees, now)
    return caught.value.detail, found.position(caught.value.path)


def secrets_yaml(bundle: Bundle) -> str:
    return encode([reveal(to_tree(bundle))])


def config(bundle: Bundle, contract: str, role: str = "controlplane") -> str:
    """The configuration of a node of this contract, with the bundle's secrets in it."""
    node = Node(name=f"{role}-1", role=role, pool="p", provider="lab")  # type: ignore[arg-type]
    talos = TalosWish(f"v{contract}.1", contract, "v1.34.1")
    tree = to_tree(bundle)
    made = documents(
        node,
        Topology("demo", (node,), EndpointWish(), talos),
        endpoint="10.0.0.1",
        install_disk=None,
        secrets=lambda path: dig(tree, path),
    )
    return encode(reveal(evaluate(made, lambda ref: Unknown(str(ref)), {**CORE, **provider.functions})))


def test_secrets_yaml_gives_the_bundle(bundle: Bundle) -> None:
    assert bundle == read(secrets_yaml(bundle))


def test_the_json_form_gives_the_bundle(bundle: Bundle) -> None:
    """Its keys have capitals, and everything else is the same."""
    tree = reveal(to_json_tree(bundle))
    assert list(tree) == ["Cluster", "Secrets", "TrustdInfo", "Certs"]
    assert list(tree["Certs"]) == ["Etcd", "K8s", "K8sAggregator", "K8sServiceAccount", "OS"]
    assert list(tree["Certs"]["OS"]) == ["Crt", "Key"]
    assert [list(tree[group]) for group in ("Cluster", "Secrets", "TrustdInfo")] == [
        ["Id", "Secret"],
        ["BootstrapToken", "SecretboxEncryptionSecret"],
        ["Token"],
    ]
    assert bundle == read(json.dumps(tree, indent=2))


@pytest.mark.parametrize("contract", [str(each) for each in KNOWN])
def test_a_control_plane_s_configuration_gives_the_bundle(bundle: Bundle, contract: str) -> None:
    """Of every release, in the one document of older ones and the many of 1.14."""
    assert bundle == read(config(bundle, contract))


def test_the_order_of_documents_does_not_matter(bundle: Bundle) -> None:
    parts = config(bundle, "1.14").split("\n---\n")
    assert bundle == read("\n---\n".join(reversed(parts)))


@pytest.mark.parametrize("contract", ["1.13", "1.14"])
def test_a_worker_s_configuration_has_no_keys(bundle: Bundle, contract: str) -> None:
    detail, position = flaw(config(bundle, contract, "worker"))
    assert detail == "machine.type: this is the configuration of a worker, which has none of the keys"
    assert position[0] > 1


def test_an_ecdsa_authority_of_talos_is_taken(bundle: Bundle) -> None:
    """Clients of such a cluster have ECDSA keys, which some libraries prefer."""
    ecdsa = authority("talos", keys.ecdsa_p256(), now=NOW, random=random.Random(3).randbytes)
    changed = evolve(bundle, os=ecdsa)
    assert changed == read(secrets_yaml(changed))


def test_an_ecdsa_key_for_service_accounts_is_taken(bundle: Bundle) -> None:
    """Clusters from before 1.7 have one."""
    changed = evolve(bundle, k8s_service_account=keys.to_pem(keys.ecdsa_p256()))
    assert changed == read(secrets_yaml(changed))


def test_a_key_under_the_common_label_is_taken(bundle: Bundle) -> None:
    changed = evolve(bundle, os=KeyPair(bundle.os.crt, keys.common_label(bundle.os.key)))
    assert changed == read(secrets_yaml(changed))


def changed(bundle: Bundle, path: str, value: Any) -> str:
    """secrets.yaml with one entry changed, or taken out."""
    tree = reveal(to_tree(bundle))
    *way, last = path.split(".")
    inner = tree
    for part in way:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return yaml.safe_dump(tree, sort_keys=False)


B64 = base64.b64encode(b"planted").decode()


@pytest.mark.parametrize(
    ("path", "value", "detail"),
    [
        ("cluster.id", None, "cluster.id is missing"),
        ("cluster.id", "", "cluster.id: this is empty"),
        ("cluster.secret", B64, "cluster.secret: this is not base64 of 32 bytes"),
        ("cluster.secret", "plant*d", "cluster.secret: this is not base64 of 32 bytes"),
        (
            "secrets.secretboxencryptionsecret",
            B64,
            "secrets.secretboxencryptionsecret: this is not base64 of 32 bytes",
        ),
        ("secrets.bootstraptoken", "planted", "secrets.bootstraptoken: a token has 6 and 16 of a-z and 0-9"),
        ("trustdinfo.token", "ABCDEF.0123456789abcdef", "trustdinfo.token: a token has 6 and 16 of a-z and 0-9"),
        ("trustdinfo", None, "trustdinfo.token is missing"),
        ("certs.etcd.key", None, "certs.etcd.key is missing"),
        ("certs.etcd.key", "", "certs.etcd.key: this is empty"),
        ("certs.k8s.crt", "plant*d", "certs.k8s.crt: this is not base64 of a PEM text"),
        ("certs.k8s.crt", B64, "certs.k8s.crt: this is no certificate in PEM"),
        ("certs.os.key", B64, "certs.os.key: this is no private key in PEM"),
        ("certs.k8sserviceaccount.key", B64, "certs.k8sserviceaccount.key: this is no private key in PEM"),
        ("certs.k8sserviceaccount", None, "certs.k8sserviceaccount.key is missing"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(bundle: Bundle, path: str, value: Any, detail: str) -> None:
    text = changed(bundle, path, value)
    said, (line, column) = flaw(text)

    assert said.startswith(detail)
    assert "planted" not in said
    if value is None:
        assert (line, column) == (0, 0)
    else:
        last = path.rpartition(".")[2]
        at = text.splitlines()[line - 1]
        assert at.strip().startswith(f"{last}:")
        assert at[column - 1 :] in (f"{value}", f"'{value}'")


def test_certificate_and_key_must_belong_together(bundle: Bundle) -> None:
    tree = reveal(to_tree(bundle))
    said, _ = flaw(changed(bundle, "certs.k8s.key", tree["certs"]["etcd"]["key"]))
    assert said == "certs.k8s.key: this key does not belong to the certificate beside it"


def test_a_certificate_that_is_no_authority_is_refused(bundle: Bundle) -> None:
    client = kubernetes_admin(bundle.k8s, now=NOW, ttl=timedelta(days=1))
    said, _ = flaw(secrets_yaml(evolve(bundle, k8s=client)))
    assert said == "certs.k8s.crt: this certificate is not one of an authority"


def test_an_authority_that_has_ended_is_refused(bundle: Bundle) -> None:
    said, _ = flaw(secrets_yaml(bundle), NOW + timedelta(hours=87600))
    assert said == "certs.etcd.crt: this authority ended on 2036-11-20"
    assert bundle == read(secrets_yaml(bundle), NOW + timedelta(hours=87599))


@pytest.mark.parametrize("key", ["secrets.aescbcencryptionsecret", "cluster.aescbcEncryptionSecret"])
def test_aes_cbc_is_not_set_up_by_prov(bundle: Bundle, key: str) -> None:
    """It would leave what is in etcd unreadable."""
    if key.startswith("secrets"):
        text = secrets_yaml(bundle).replace("secretboxencryptionsecret", "aescbcencryptionsecret")
    else:
        text = config(bundle, "1.13").replace("secretboxEncryptionSecret", "aescbcEncryptionSecret")
    said, (line, _) = flaw(text)
    assert said == f"{key}: Secrets are encrypted with AES-CBC, which prov does not set up"
    assert line > 1


def encryption(bundle: Bundle, change: Any) -> str:
    """A configuration of 1.14 whose encryption of Secrets is changed."""
    made = list(yaml.safe_load_all(config(bundle, "1.14")))
    for document in made:
        if document.get("kind") == "KubeEtcdEncryptionConfig":
            change(document["config"]["resources"])
    return yaml.safe_dump_all(made, sort_keys=False)


def _rename(rules: Any) -> None:
    rules[0]["providers"][0]["secretbox"]["keys"][0]["name"] = "key1"


def _second_key(rules: Any) -> None:
    rules[0]["providers"][0]["secretbox"]["keys"].append({"name": "key3", "secret": "x"})


def _other_first(rules: Any) -> None:
    rules[0]["providers"].insert(0, {"identity": {}})


def _no_providers(rules: Any) -> None:
    rules[0]["providers"] = []


@pytest.mark.parametrize("change", [_rename, _second_key, _other_first, _no_providers])
def test_encryption_that_a_bundle_cannot_hold_is_refused(bundle: Bundle, change: Any) -> None:
    """The name of a key is stored with what it encrypts, and prov writes one key of one name."""
    said, (line, _) = flaw(encryption(bundle, change))
    assert "prov knows one secretbox key called key2" in said
    assert said.startswith("config.resources.0.providers.0.secretbox.keys: ")
    assert line > 1


def test_encryption_of_other_things_is_passed_over(bundle: Bundle) -> None:
    """What encrypts Secrets counts, wherever it stands."""

    def add(rules: Any) -> None:
        rules.insert(0, {"resources": ["configmaps"], "providers": [{"identity": {}}]})

    assert bundle == read(encryption(bundle, add))


def test_no_encryption_of_secrets_is_told(bundle: Bundle) -> None:
    def other(rules: Any) -> None:
        rules[0]["resources"] = ["configmaps"]

    assert flaw(encryption(bundle, other))[0] == "config.resources: nothing here encrypts Secrets"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "the file is empty"),
        ("# only a comment\n---\n", "the file is empty"),
        ("- a\n", "the file is no mapping"),
        ("planted\n", "the file is no mapping"),
        ("a: [planted\n", "the file is no valid YAML at line 2, column 1"),
        ("\x00", "the file is no valid YAML"),
        (f"a: {'[' * 60}x{']' * 60}\n", "the file is nested too deeply"),
        ("name: demo\n", "certs.etcd.crt is missing"),
    ],
)
def test_what_is_no_bundle_at_all(text: str, detail: str) -> None:
    with pytest.raises(Flaw) as caught:
        read(text)
    found = caught.value.detail
    assert found == detail
    assert "planted" not in found + caught.value.remedy


def test_printing_shows_nothing_private(bundle: Bundle) -> None:
    shown = repr(Documents.of(secrets_yaml(bundle)))
    assert bundle.trustd_token not in shown
    assert bundle.cluster_secret not in shown


def test_a_configuration_by_hand_may_have_other_forms_of_numbers(bundle: Bundle) -> None:
    """Only texts are looked for, so what others mean by 0644 or off does not matter here."""
    more = "machine:\n  files: [{path: /var/x, permissions: 0644, op: create, content: off}]\n"
    assert bundle == read(config(bundle, "1.13").replace("machine:\n", more, 1))


def test_documents_know_the_lines_of_lists() -> None:
    found = Documents.of("a:\n  - b\n  - c: d\n---\ne: f\n")
    assert [
        found.position(path) for path in ((0, "a", 0), (0, "a", 1, "c"), (1, "e"), (0, "x"), (0, "a", 1, "x"))
    ] == [(2, 5), (3, 8), (5, 4), (1, 1), (3, 5)]
    assert isinstance(found.trees[0], Mapping)
