"""Our certificates as TLS settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provisioner.sdk import OperatorNeeded
from provisioner.talos.api.access import Silent
from provisioner.talos.api.cluster import Cluster
from provisioner.talos.api.connections import room_for_connections
from provisioner.talos.api.identity import Identity, signed_by, trusting_context
from provisioner.talos.api.links import Links, links_of
from provisioner.talos.api.loop import shared_loop
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


def test_all_views_of_a_cluster_share_its_connections(bundle: Bundle):
    """The core makes a view for each address that becomes known; other secrets are another cluster's."""
    same, other = evolve(bundle), evolve(bundle, cluster_secret="other")

    assert links_of(same) is links_of(bundle)
    assert links_of(other) is not links_of(bundle)


def test_a_certificate_of_ours_is_made_once_and_renewed_in_good_time(bundle: Bundle):
    clock = [NOW]
    links = Links(bundle, lambda: clock[0], shared_loop())
    first = links.talos.context()

    assert links.talos.context() is first
    clock[0] += timedelta(hours=13)
    assert links.talos.context() is not first


@pytest.mark.parametrize(
    ("files", "room"),
    [(256, 64), (1024, 384), (1_048_576, 1024)],
)
def test_two_sorts_of_open_connections_leave_files_for_the_rest_of_the_process(files: int, room: int):
    assert room_for_connections(files) == room
