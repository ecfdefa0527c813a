"""Our certificates as TLS settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provisioner.sdk import OperatorNeeded
from provisioner.talos.api.access import Silent
from provisioner.talos.api.cluster import Cluster
from provisioner.talos.api.identity import Identity, signed_by, trusting_context
from provisioner.talos.api.links import links_of
from provisioner.talos.pki.bundle import Bundle
from provisioner.talos.pki.certificate import talos_admin

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_key_under_taloss_label_is_loaded(bundle: Bundle):
    pair = talos_admin(bundle.os, now=NOW, ttl=timedelta(hours=1))
    assert "ED25519 PRIVATE KEY" in pair.key
    context = trusting_context(Identity(bundle.os.crt, pair.crt, pair.key), alpn="h2")
    assert [dict(part[0] for part in each["subject"]) for each in context.get_ca_certs()] == [
        {"organizationName": "talos"}
    ]


def test_an_identity_does_not_print_its_key(bundle: Bundle):
    assert "PRIVATE" not in repr(Identity(bundle.os.crt, bundle.os.crt, bundle.os.key))


def test_only_what_our_authority_signed_is_ours(bundle: Bundle):
    pair = talos_admin(bundle.os, now=NOW, ttl=timedelta(hours=1))
    der = x509.load_pem_x509_certificate(pair.crt.encode()).public_bytes(Encoding.DER)
    assert signed_by(bundle.os.crt, der)
    assert not signed_by(bundle.k8s.crt, der)
    assert not signed_by(bundle.os.crt, b"no certificate")


def test_without_secrets_nothing_is_known_and_nothing_can_be_asked():
    cluster = Cluster("demo", links_of(None), control_planes={}, nodes={}, endpoint="")
    assert cluster.look(["127.0.0.1"]) == {"127.0.0.1": Silent("the cluster's secrets are not known yet")}
    with pytest.raises(OperatorNeeded, match="not known"):
        cluster.kubernetes_nodes()
