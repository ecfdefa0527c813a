"""Secrets bundle, authorities, client certificates and the files made of them."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from provisioner.model.value import Origin, Secret, Sourced, Value, conceal, leaves, reveal
from provisioner.talos.pki import keys
from provisioner.talos.pki.authority import authority
from provisioner.talos.pki.bundle import Bundle, BundleError, KeyPair, _token, from_tree, generate, to_tree
from provisioner.talos.pki.certificate import AuthorityEnded, kubernetes_admin, talos_admin, talos_client
from provisioner.talos.pki.kubeconfig import kubeconfig
from provisioner.talos.pki.roles import NoSuchRole, checked
from provisioner.talos.pki.talosconfig import talosconfig
from provisioner.talos.pki.vetting import half_of_life
from provisioner.talos.versions import Contract

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
YEAR = timedelta(days=365)
AUTHORITIES = ["etcd", "k8s", "k8s_aggregator", "os"]


def cert_of(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> x509.Extension[Any]:
    return certificate.extensions.get_extension_for_oid(oid)


def usages(certificate: x509.Certificate) -> set[str]:
    """The key usages that are on, by the name cryptography gives them."""
    value = extension(certificate, ExtensionOID.KEY_USAGE).value
    names = ("digital_signature", "key_encipherment", "key_cert_sign", "crl_sign", "key_agreement")
    return {name for name in names if getattr(value, name)}


class TestKeys:
    @pytest.mark.parametrize(
        ("make", "label"), [(keys.ed25519, "ED25519 PRIVATE KEY"), (keys.ecdsa_p256, "EC PRIVATE KEY")]
    )
    def test_a_key_is_written_with_the_label_of_talos_and_read_back(self, make: Any, label: str) -> None:
        text = keys.to_pem(make())
        assert f"-----BEGIN {label}-----" == text.splitlines()[0]
        assert f"-----END {label}-----" == text.splitlines()[-1]
        assert text == keys.to_pem(keys.from_pem(text))

    def test_a_key_under_the_common_label_is_read_too(self) -> None:
        text = keys.to_pem(keys.ed25519())
        assert text == keys.to_pem(keys.from_pem(keys.common_label(text)))

    def test_what_is_no_key_is_refused_without_showing_it(self) -> None:
        text = "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n"
        with pytest.raises(ValueError) as caught:  # noqa: PT011  (the library's own words)
            keys.from_pem(text)
        assert "planted" not in str(caught.value)

    def test_a_new_key_is_of_the_kind_of_the_old_one(self) -> None:
        assert isinstance(keys.like(keys.ed25519()), Ed25519PrivateKey)
        assert isinstance(keys.like(keys.ecdsa_p256()), EllipticCurvePrivateKey)


class TestAuthorities:
    @pytest.fixture(params=AUTHORITIES)
    def pair(self, request: pytest.FixtureRequest, bundle: Bundle) -> KeyPair:
        pair = getattr(bundle, request.param)
        assert isinstance(pair, KeyPair)
        return pair

    def test_subjects_and_algorithms_are_those_of_talos(self, bundle: Bundle) -> None:
        expected = {
            "etcd": ("O=etcd", EllipticCurvePrivateKey),
            "k8s": ("O=kubernetes", EllipticCurvePrivateKey),
            "k8s_aggregator": ("", EllipticCurvePrivateKey),
            "os": ("O=talos", Ed25519PrivateKey),
        }
        for name, (subject, kind) in expected.items():
            pair = getattr(bundle, name)
            assert subject == cert_of(pair.crt).subject.rfc4514_string()
            assert isinstance(keys.from_pem(pair.key), kind)

    def test_it_is_valid_for_ten_years_from_now(self, pair: KeyPair) -> None:
        start = NOW.replace(microsecond=0)
        certificate = cert_of(pair.crt)
        assert start == certificate.not_valid_before_utc
        assert start + timedelta(hours=87600) == certificate.not_valid_after_utc

    def test_it_signs_itself_with_its_own_key(self, pair: KeyPair) -> None:
        certificate = cert_of(pair.crt)
        certificate.verify_directly_issued_by(certificate)
        assert keys.from_pem(pair.key).public_key() == certificate.public_key()

    def test_its_extensions_are_exactly_those_of_talos(self, pair: KeyPair) -> None:
        certificate = cert_of(pair.crt)
        expected = {
            ExtensionOID.KEY_USAGE: True,
            ExtensionOID.EXTENDED_KEY_USAGE: False,
            ExtensionOID.BASIC_CONSTRAINTS: True,
            ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
        }
        assert expected == {each.oid: each.critical for each in certificate.extensions}
        assert {"digital_signature", "key_cert_sign"} == usages(certificate)
        eku = extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE).value
        assert list(eku) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        basic = extension(certificate, ExtensionOID.BASIC_CONSTRAINTS).value
        assert (basic.ca, basic.path_length) == (True, None)

    def test_serial_and_key_identifier_come_from_the_randomness_handed_in(self) -> None:
        pair = authority("x", keys.ecdsa_p256(), now=NOW, random=lambda count: bytes(range(1, count + 1)))
        certificate = cert_of(pair.crt)
        identifier = extension(certificate, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value.digest
        assert int.from_bytes(bytes(range(1, 17)), "big") == certificate.serial_number
        assert bytes(range(1, 21)) == identifier

    def test_a_serial_number_is_never_zero(self) -> None:
        assert cert_of(authority("x", keys.ed25519(), now=NOW, random=bytes).crt).serial_number == 1


class TestBundle:
    def test_texts_have_the_form_talos_demands(self, bundle: Bundle) -> None:
        assert len(base64.urlsafe_b64decode(bundle.cluster_id)) == 32
        for secret in (bundle.cluster_secret, bundle.secretbox_secret):
            assert len(base64.b64decode(secret, validate=True)) == 32
        for token in (bundle.bootstrap_token, bundle.trustd_token):
            assert [len(part) for part in token.split(".")] == [6, 16]
            assert token.replace(".", "").isalnum()
            assert token == token.lower()
        assert bundle.bootstrap_token != bundle.trustd_token

    @pytest.mark.parametrize(("contract", "sign"), [("1.13", "-"), ("1.14", "+")])
    def test_the_cluster_id_has_the_alphabet_of_its_contract(self, contract: str, sign: str) -> None:
        made = generate(Contract.parse(contract), now=NOW, random=lambda count: b"\xfb" * count)
        assert sign in made.cluster_id

    def test_tokens_are_unbiased(self) -> None:
        """Bytes from 252 on are thrown away; 35 and 251 both give the last letter."""
        supply: Iterator[int] = iter([252, 255, *([35, 251, 0] * 8)])
        assert _token(lambda count: bytes(next(supply) for _ in range(count))) == "zz0zz0.zz0zz0zz0zz0zz0z"

    def test_the_service_account_key_is_rsa_4096(self, bundle: Bundle) -> None:
        assert bundle.k8s_service_account.startswith("-----BEGIN RSA PRIVATE KEY-----")
        key = keys.from_pem(bundle.k8s_service_account)
        assert isinstance(key, RSAPrivateKey)
        assert key.key_size == 4096

    def test_printing_shows_nothing_private(self, bundle: Bundle) -> None:
        shown = repr(bundle) + str(bundle.os)
        assert "PRIVATE KEY" not in shown
        for secret in (bundle.cluster_secret, bundle.bootstrap_token, bundle.trustd_token, bundle.secretbox_secret):
            assert secret not in shown

    def test_the_tree_has_the_layout_of_secrets_yaml(self, bundle: Bundle) -> None:
        plain = {"cluster.id", *(f"certs.{name}.crt" for name in ("etcd", "k8s", "k8saggregator", "os"))}
        secret = {
            "cluster.secret",
            "secrets.bootstraptoken",
            "secrets.secretboxencryptionsecret",
            "trustdinfo.token",
            "certs.k8sserviceaccount.key",
            *(f"certs.{name}.key" for name in ("etcd", "k8s", "k8saggregator", "os")),
        }
        found = {".".join(map(str, path)): leaf for path, leaf in leaves(to_tree(bundle))}
        assert secret == {path for path, leaf in found.items() if isinstance(leaf, Secret)}
        assert plain == found.keys() - secret

    def test_the_tree_holds_base64_of_pem(self, bundle: Bundle) -> None:
        tree = reveal(to_tree(bundle))
        assert bundle.os.crt == base64.b64decode(tree["certs"]["os"]["crt"]).decode()
        assert bundle.os.key == base64.b64decode(tree["certs"]["os"]["key"]).decode()

    def test_a_tree_gives_the_bundle_back(self, bundle: Bundle) -> None:
        assert bundle == from_tree(to_tree(bundle))
        assert bundle == from_tree(reveal(to_tree(bundle)))
        concealed = conceal(to_tree(bundle))
        assert isinstance(concealed, Mapping)
        assert bundle == from_tree(concealed)

    @pytest.mark.parametrize(
        ("path", "value", "detail"),
        [
            (("cluster", "id"), None, "cluster.id is not a text"),
            (("trustdinfo",), {}, "trustdinfo.token is missing"),
            (("certs", "os", "key"), Secret("planted!"), "certs.os.key is not base64 of a PEM text"),
            (("certs", "k8sserviceaccount"), {}, "certs.k8sserviceaccount.key is missing"),
            (("secrets", "bootstraptoken"), Sourced("", Origin("a", 1)), "secrets.bootstraptoken is not a text"),
        ],
    )
    def test_a_damaged_tree_is_refused_by_name(
        self, bundle: Bundle, path: tuple[str, ...], value: Value, detail: str
    ) -> None:
        with pytest.raises(BundleError) as caught:
            from_tree(_with(to_tree(bundle), path, value))
        assert detail == caught.value.detail
        assert "planted" not in repr(caught.value.problems())


def _with(tree: Mapping[str, Value], path: tuple[str, ...], value: Value) -> dict[str, Value]:
    head, *rest = path
    if not rest:
        return {**tree, head: value}
    inner = tree[head]
    assert isinstance(inner, Mapping)
    return {**tree, head: _with(inner, tuple(rest), value)}


class TestClientCertificates:
    def test_the_talos_administrator_is_an_organisation_only(self, bundle: Bundle) -> None:
        certificate = cert_of(talos_admin(bundle.os, now=NOW, ttl=YEAR).crt)
        assert certificate.subject.rfc4514_string() == "O=os:admin"
        assert {"digital_signature"} == usages(certificate)
        assert list(extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE).value) == [
            ExtendedKeyUsageOID.CLIENT_AUTH
        ]

    def test_the_kubernetes_administrator_is_a_master(self, bundle: Bundle) -> None:
        certificate = cert_of(kubernetes_admin(bundle.k8s, now=NOW, ttl=YEAR).crt)
        expected = {NameOID.ORGANIZATION_NAME: "system:masters", NameOID.COMMON_NAME: "admin"}
        assert expected == {each.oid: each.value for each in certificate.subject}
        assert {"digital_signature", "key_encipherment"} == usages(certificate)
        assert list(extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE).value) == [
            ExtendedKeyUsageOID.CLIENT_AUTH
        ]

    def test_a_client_is_no_authority_and_belongs_to_its_own(self, bundle: Bundle) -> None:
        for ca, pair in (
            (bundle.os, talos_admin(bundle.os, now=NOW, ttl=YEAR)),
            (bundle.k8s, kubernetes_admin(bundle.k8s, now=NOW, ttl=YEAR)),
        ):
            issuer, certificate = cert_of(ca.crt), cert_of(pair.crt)
            certificate.verify_directly_issued_by(issuer)
            assert not extension(certificate, ExtensionOID.BASIC_CONSTRAINTS).value.ca
            known = extension(certificate, ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value.key_identifier
            assert extension(issuer, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value.digest == known
            assert type(keys.from_pem(ca.key)) is type(keys.from_pem(pair.key))
            assert keys.from_pem(pair.key).public_key() == certificate.public_key()

    @pytest.mark.parametrize(
        ("subject", "roles"),
        [
            (["os:reader"], ["os:reader"]),
            (["os:etcd:backup", "os:operator"], ["os:operator", "os:etcd:backup", "os:operator"]),
        ],
    )
    def test_a_client_has_one_organisation_per_role(
        self, bundle: Bundle, subject: list[str], roles: list[str]
    ) -> None:
        """All in one part of the name, as Talos writes them, each once, and no other name."""
        certificate = cert_of(talos_client(bundle.os, roles, now=NOW, ttl=YEAR).crt)
        found = {(each.oid, each.value) for each in certificate.subject}
        assert {(NameOID.ORGANIZATION_NAME, role) for role in subject} == found
        assert (len(certificate.subject.rdns), len(list(certificate.subject))) == (1, len(subject))
        assert list(extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE).value) == [
            ExtendedKeyUsageOID.CLIENT_AUTH
        ]

    def test_roles_are_those_of_talos(self) -> None:
        assert checked(()) == ("os:admin",)
        assert checked(["os:reader", "os:meta:writer"]) == ("os:reader", "os:meta:writer")
        with pytest.raises(NoSuchRole, match="no such role"):
            checked(["os:impersonator"])

    def test_a_client_ends_with_its_authority(self, bundle: Bundle) -> None:
        end = cert_of(bundle.os.crt).not_valid_after_utc
        late = talos_admin(bundle.os, now=end - timedelta(days=1), ttl=YEAR)
        assert end == cert_of(late.crt).not_valid_after_utc

    @pytest.mark.parametrize("name", ["os", "k8s", "k8s_aggregator"])
    def test_an_authority_that_has_ended_signs_nothing(self, bundle: Bundle, name: str) -> None:
        ca: KeyPair = getattr(bundle, name)
        with pytest.raises(AuthorityEnded, match="has ended") as caught:
            talos_admin(ca, now=cert_of(ca.crt).not_valid_after_utc, ttl=YEAR)
        assert "was valid until 2036-11-20" in caught.value.detail

    def test_the_middle_of_a_life_is_half_way(self) -> None:
        ca = authority("talos", keys.ed25519(), now=NOW, random=random.Random(3).randbytes)
        certificate = talos_admin(ca, now=NOW, ttl=timedelta(hours=2)).crt
        assert half_of_life(certificate) == NOW.replace(microsecond=0) + timedelta(hours=1) - timedelta(seconds=5)

    def test_validity_starts_ten_seconds_early(self, bundle: Bundle) -> None:
        certificate = cert_of(talos_admin(bundle.os, now=NOW, ttl=timedelta(hours=2)).crt)
        start = NOW.replace(microsecond=0)
        assert (start - timedelta(seconds=10), start + timedelta(hours=2)) == (
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )

    def test_clients_of_an_ecdsa_authority_have_ecdsa_keys(self) -> None:
        ca = authority("talos", keys.ecdsa_p256(), now=NOW, random=random.Random(2).randbytes)
        pair = talos_admin(ca, now=NOW, ttl=YEAR)
        cert_of(pair.crt).verify_directly_issued_by(cert_of(ca.crt))
        assert pair.key.startswith("-----BEGIN EC PRIVATE KEY-----")


class TestFiles:
    def test_a_talosconfig_has_one_context(self, bundle: Bundle) -> None:
        text = talosconfig(bundle, cluster="demo", endpoints=["10.0.0.2"], nodes=["10.0.0.3"], now=NOW)
        content = yaml.safe_load(text)
        context = content["contexts"]["demo"]
        assert content["context"] == "demo"
        assert list(context) == ["endpoints", "nodes", "ca", "crt", "key"]
        assert (context["endpoints"], context["nodes"]) == (["10.0.0.2"], ["10.0.0.3"])
        assert bundle.os.crt == base64.b64decode(context["ca"]).decode()
        certificate = cert_of(base64.b64decode(context["crt"]).decode())
        certificate.verify_directly_issued_by(cert_of(bundle.os.crt))
        assert NOW.replace(microsecond=0) + YEAR == certificate.not_valid_after_utc
        assert base64.b64decode(context["key"]).startswith(b"-----BEGIN ED25519 PRIVATE KEY-----")

    def test_a_talosconfig_without_nodes_leaves_them_out(self, bundle: Bundle) -> None:
        text = talosconfig(bundle, cluster="demo", endpoints=["10.0.0.2"], nodes=[], now=NOW)
        assert "nodes" not in yaml.safe_load(text)["contexts"]["demo"]

    def test_a_kubeconfig_has_the_names_talos_gives(self, bundle: Bundle) -> None:
        text = kubeconfig(bundle, cluster="demo", server="https://10.0.0.1:6443", now=NOW)
        content = yaml.safe_load(text)
        assert (
            content["apiVersion"],
            content["kind"],
            content["current-context"],
        ) == ("v1", "Config", "admin@demo")
        context = {"cluster": "demo", "namespace": "default", "user": "admin@demo"}
        assert [{"name": "admin@demo", "context": context}] == content["contexts"]
        assert [each["name"] for each in content["clusters"]] == ["demo"]
        assert [each["name"] for each in content["users"]] == ["admin@demo"]
        assert content["clusters"][0]["cluster"]["server"] == "https://10.0.0.1:6443"
        ca = base64.b64decode(content["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        user = content["users"][0]["user"]
        assert bundle.k8s.crt == ca
        cert_of(base64.b64decode(user["client-certificate-data"]).decode()).verify_directly_issued_by(cert_of(ca))
        assert base64.b64decode(user["client-key-data"]).startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_reading_a_bundle_or_making_a_configuration_loads_no_crypto_library() -> None:
    modules = ("pki.bundle", "pki.talosconfig", "pki.kubeconfig", "config.assemble", "config.immediate", "support")
    code = "import sys\n" + "".join(f"import provisioner.talos.{each}\n" for each in modules)
    code += "sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
