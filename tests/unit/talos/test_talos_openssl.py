"""Certificates and keys through the eyes of openssl: every field of every one of them.

All that openssl prints is compared, but for what is drawn by lot; so a change of any field shows.
"""

from __future__ import annotations

import base64
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from provisioner.talos.pki import keys
from provisioner.talos.pki.authority import authority
from provisioner.talos.pki.bundle import Bundle, KeyPair, from_tree, to_tree
from provisioner.talos.pki.certificate import kubernetes_admin, talos_client
from provisioner.talos.pki.kubeconfig import kubeconfig
from provisioner.talos.pki.roles import ROLES
from provisioner.talos.pki.talosconfig import talosconfig
from provisioner.talos.pki.vetting import fingerprint

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command openssl is not installed, which is to judge here"
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)

ED25519 = """\
            Public Key Algorithm: ED25519
                ED25519 Public-Key:
                pub: 32 bytes"""
P256 = """\
            Public Key Algorithm: id-ecPublicKey
                Public-Key: (256 bit)
                pub: 65 bytes
                ASN1 OID: prime256v1
                NIST CURVE: P-256"""
AUTHORITY = """\
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number: 16 bytes
        Signature Algorithm: {signature}
        Issuer: {name}
        Validity
            Not Before: Nov 23 12:00:00 2026 GMT
            Not After : Nov 20 12:00:00 2036 GMT
        Subject: {name}
        Subject Public Key Info:
{key}
        X509v3 extensions:
            X509v3 Key Usage: critical
                Digital Signature, Certificate Sign
            X509v3 Extended Key Usage:
                TLS Web Server Authentication, TLS Web Client Authentication
            X509v3 Basic Constraints: critical
                CA:TRUE
            X509v3 Subject Key Identifier:
                20 bytes
"""
CLIENT = """\
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number: 20 bytes
        Signature Algorithm: {signature}
        Issuer: {issuer}
        Validity
            Not Before: Nov 23 11:59:50 2026 GMT
            Not After : Nov 23 14:00:00 2026 GMT
        Subject: {name}
        Subject Public Key Info:
{key}
        X509v3 extensions:
            X509v3 Key Usage: critical
                {usage}
            X509v3 Extended Key Usage:
                TLS Web Client Authentication
            X509v3 Basic Constraints: critical
                CA:FALSE
            X509v3 Authority Key Identifier:
                20 bytes
"""


def openssl(*arguments: str | Path, text: str = "") -> str:
    """What the command says about a text on its standard input; it must succeed."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


_HEX = r"(?:[0-9a-fA-F]{2}:\s*)*[0-9a-fA-F]{2}"


def described(certificate: str) -> str:
    """All that openssl tells of a certificate but for its signature, with numbers drawn by lot as their length.

    A serial number may begin with zeros, so its length is rounded up to 16 or 20 bytes.
    """
    text = openssl("x509", "-noout", "-text", "-certopt", "no_sigdump", "-nameopt", "RFC2253", text=certificate)

    def counted(match: re.Match[str]) -> str:
        size = match[2].count(":") + 1
        if match[1].startswith("Serial"):
            size = 16 if size <= 16 else 20
        return f"{match[1]} {size} bytes" if match[1].startswith(("Serial", "pub")) else f"{match[1]}{size} bytes"

    text = re.sub(rf"((?:Serial Number|pub):)\s*({_HEX})", counted, text)
    text = re.sub(rf"(Key Identifier: *\n +)(?:keyid:)?({_HEX})", counted, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("field", "name"), [("os", "O=talos"), ("k8s", "O=kubernetes"), ("k8s_aggregator", ""), ("etcd", "O=etcd")]
)
def test_every_field_of_an_authority(bundle: Bundle, field: str, name: str) -> None:
    signature, key = ("ED25519", ED25519) if field == "os" else ("ecdsa-with-SHA256", P256)
    expected = AUTHORITY.format(signature=signature, name=name, key=key).replace(": \n", ":\n")
    assert expected == described(getattr(bundle, field).crt)


def test_every_field_of_an_ecdsa_authority_of_talos() -> None:
    """Such as may be imported."""
    made = authority("talos", keys.ecdsa_p256(), now=NOW, random=random.Random(1).randbytes)
    assert AUTHORITY.format(signature="ecdsa-with-SHA256", name="O=talos", key=P256) == described(made.crt)
    client = talos_client(made, ["os:admin"], now=NOW, ttl=TWO_HOURS)
    expected = CLIENT.format(
        signature="ecdsa-with-SHA256", issuer="O=talos", name="O=os:admin", key=P256, usage="Digital Signature"
    )
    assert expected == described(client.crt)
    assert "ASN1 OID: prime256v1" in openssl("pkey", "-noout", "-text", text=client.key)


@pytest.mark.parametrize("role", ROLES)
def test_every_field_of_a_client_of_talos(bundle: Bundle, role: str) -> None:
    expected = CLIENT.format(
        signature="ED25519", issuer="O=talos", name=f"O={role}", key=ED25519, usage="Digital Signature"
    )
    assert expected == described(talos_client(bundle.os, [role], now=NOW, ttl=TWO_HOURS).crt)


def test_several_roles_are_one_part_of_the_name(bundle: Bundle) -> None:
    client = talos_client(bundle.os, ["os:reader", "os:etcd:backup"], now=NOW, ttl=TWO_HOURS)
    subject = openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", text=client.crt)
    assert subject in ("subject=O=os:reader+O=os:etcd:backup\n", "subject=O=os:etcd:backup+O=os:reader\n")


def test_every_field_of_the_administrator_of_kubernetes(bundle: Bundle) -> None:
    expected = CLIENT.format(
        signature="ecdsa-with-SHA256",
        issuer="O=kubernetes",
        name="CN=admin,O=system:masters",
        key=P256,
        usage="Digital Signature, Key Encipherment",
    )
    assert expected == described(kubernetes_admin(bundle.k8s, now=NOW, ttl=TWO_HOURS).crt)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("os", "ED25519 Private-Key:"),
        ("k8s", "Private-Key: (256 bit)"),
        ("k8s_aggregator", "Private-Key: (256 bit)"),
        ("etcd", "Private-Key: (256 bit)"),
    ],
)
def test_a_key_is_sound_and_its_certificate_s(bundle: Bundle, field: str, kind: str) -> None:
    """openssl reads Talos's keys under the common label."""
    pair: KeyPair = getattr(bundle, field)
    key = keys.common_label(pair.key)
    assert openssl("pkey", "-noout", "-text", text=key).splitlines()[0] == kind
    assert "Key is valid" in openssl("pkey", "-noout", "-check", text=key)
    assert openssl("pkey", "-pubout", text=key) == openssl("x509", "-noout", "-pubkey", text=pair.crt)


def test_the_key_of_service_accounts_is_rsa_4096(bundle: Bundle) -> None:
    lines = openssl("pkey", "-noout", "-text", text=bundle.k8s_service_account).splitlines()
    assert lines[0] == "Private-Key: (4096 bit, 2 primes)"
    assert "publicExponent: 65537 (0x10001)" in lines
    assert "Key is valid" in openssl("pkey", "-noout", "-check", text=bundle.k8s_service_account)


@pytest.mark.parametrize("field", ["os", "k8s", "k8s_aggregator", "etcd"])
def test_an_authority_verifies_itself_and_nothing_of_the_others(bundle: Bundle, tmp_path: Path, field: str) -> None:
    for name in ("os", "k8s", "k8s_aggregator", "etcd"):
        (tmp_path / name).write_text(getattr(bundle, name).crt)
    at = str(int(NOW.timestamp()))
    assert openssl("verify", "-attime", at, "-CAfile", tmp_path / field, tmp_path / field).endswith("OK\n")
    other = "etcd" if field != "etcd" else "os"
    done = subprocess.run(
        ["openssl", "verify", "-attime", at, "-CAfile", tmp_path / other, tmp_path / field], capture_output=True
    )
    assert done.returncode != 0


@pytest.mark.parametrize("purpose", ["sslclient", "sslserver"])
def test_a_client_is_good_for_being_one_and_for_nothing_else(bundle: Bundle, tmp_path: Path, purpose: str) -> None:
    for ca, pair in (
        (bundle.os, talos_client(bundle.os, ["os:admin"], now=NOW, ttl=TWO_HOURS)),
        (bundle.k8s, kubernetes_admin(bundle.k8s, now=NOW, ttl=TWO_HOURS)),
    ):
        (tmp_path / "ca").write_text(ca.crt)
        (tmp_path / "crt").write_text(pair.crt)
        at = str(int(NOW.timestamp()))
        command = ["openssl", "verify", "-attime", at, "-purpose", purpose, "-CAfile"]
        done = subprocess.run([*command, tmp_path / "ca", tmp_path / "crt"], capture_output=True, check=False)
        assert (done.returncode == 0) is (purpose == "sslclient")


@pytest.mark.parametrize("minutes", [-1, 121])
def test_a_client_is_not_good_at_another_time(bundle: Bundle, tmp_path: Path, minutes: int) -> None:
    (tmp_path / "ca").write_text(bundle.os.crt)
    (tmp_path / "crt").write_text(talos_client(bundle.os, ["os:admin"], now=NOW, ttl=TWO_HOURS).crt)
    at = str(int((NOW + timedelta(minutes=minutes)).timestamp()))
    command = ["openssl", "verify", "-attime", at, "-CAfile", tmp_path / "ca", tmp_path / "crt"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_files_people_get_hold_pairs(bundle: Bundle) -> None:
    """A talosconfig and a kubeconfig, taken apart."""
    talos = yaml.safe_load(talosconfig(bundle, cluster="demo", endpoints=["10.0.0.1"], nodes=[], now=NOW))
    kube = yaml.safe_load(kubeconfig(bundle, cluster="demo", server="https://10.0.0.1:6443", now=NOW))
    context, user = talos["contexts"]["demo"], kube["users"][0]["user"]
    for crt, key in (
        (context["crt"], context["key"]),
        (user["client-certificate-data"], user["client-key-data"]),
    ):
        certificate, private = (base64.b64decode(each).decode() for each in (crt, key))
        public = openssl("x509", "-noout", "-pubkey", text=certificate)
        assert public == openssl("pkey", "-pubout", text=keys.common_label(private))
        assert "notAfter=Nov 23 12:00:00 2027 GMT" in openssl("x509", "-noout", "-enddate", text=certificate)


def test_a_fingerprint_is_what_openssl_calls_so(bundle: Bundle) -> None:
    said = openssl("x509", "-noout", "-fingerprint", "-sha256", text=bundle.os.crt)
    assert fingerprint(bundle.os.crt).upper() == said.strip().partition("=")[2].replace(":", "")


def test_the_state_gives_back_what_openssl_reads(bundle: Bundle) -> None:
    """The bundle survives its way through a tree, bit by bit."""
    again = from_tree(to_tree(bundle))
    assert described(again.os.crt) == described(bundle.os.crt)
    assert again.os.key == bundle.os.key
