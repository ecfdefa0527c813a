"""Who may do what over the machine API."""

from __future__ import annotations

import ssl

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from provisioner.talos.api._wire import cosi_pb2, machine_pb2

CUT = (OSError, StreamTerminatedError, ssl.SSLError)


@pytest.fixture
def running(cluster):
    cluster.make("cp-1")
    return cluster


def test_a_reader_reads(running):
    reader = running.sim.talos("cp-1", running.secrets.client("os:reader"), running.secrets.os)

    assert list(reader.members()) == ["cp-1"]
    services = {item.id: item.state for item in reader.call("ServiceList").messages[0].services}
    assert services["etcd"] == services["kubelet"] == services["apid"] == "Running"
    assert reader.get("HostnameStatuses.net.talos.dev", "hostname", "network") == {
        "hostname": "cp-1",
        "domainname": "",
    }


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ApplyConfiguration", machine_pb2.ApplyConfigurationRequest(data=b"x")),
        ("Bootstrap", machine_pb2.BootstrapRequest()),
        ("Reset", machine_pb2.ResetRequest()),
        ("EtcdRemoveMemberByID", machine_pb2.EtcdRemoveMemberByIDRequest(member_id=1)),
        (
            "Get",
            cosi_pb2.GetRequest(type="MachineConfigs.config.talos.dev", namespace="config", id="v1alpha1"),
        ),
    ],
)
def test_a_reader_does_not_write_nor_see_secrets(running, method, request_):
    reader = running.sim.talos("cp-1", running.secrets.client("os:reader"), running.secrets.os)

    with pytest.raises(GRPCError) as refused:
        reader.call(method, request_)

    assert (refused.value.status, refused.value.message) == (Status.PERMISSION_DENIED, "not authorized")


def test_without_a_certificate_nothing_is_answered(running):
    with pytest.raises(CUT):
        running.sim.talos("cp-1", None, running.secrets.os).call("Version")


def test_a_certificate_of_another_cluster_is_not_let_in(running):
    stranger = type(running.secrets)().client()
    with pytest.raises(CUT):
        running.sim.talos("cp-1", stranger, running.secrets.os).call("Version")


def test_a_certificate_that_is_not_for_clients_alone_is_not_let_in(running):
    both = running.secrets.client(usages=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH))
    with pytest.raises(CUT):
        running.sim.talos("cp-1", both, running.secrets.os).call("Version")


def test_clients_of_an_accepted_ca_are_let_in_after_a_live_change(running):
    other = type(running.secrets)()
    text = running.secrets.config("controlplane", "cp-1", running.host, acceptedCAs=[{"crt": other.os.public["crt"]}])

    applied = running.admin("cp-1").apply(text)

    assert applied.mode == machine_pb2.ApplyConfigurationRequest.Mode.NO_REBOOT
    guest = running.sim.talos("cp-1", other.client(), running.secrets.os)
    assert guest.call("Version").messages[0].version.tag == "v1.13.9"


def test_what_is_not_there_is_not_found_and_what_is_unknown_is_refused(running):
    admin = running.admin("cp-1")
    for kind, name, status in (
        ("EtcdMembers.etcd.talos.dev", "other", Status.NOT_FOUND),
        ("Nonsense.talos.dev", "x", Status.PERMISSION_DENIED),
    ):
        with pytest.raises(GRPCError) as refused:
            admin.get(kind, name, "etcd")
        assert refused.value.status is status
    assert admin.list("Diagnostics.runtime.talos.dev") == {}


def test_bootstrap_on_a_worker_is_unimplemented(running):
    running.add("w-1")
    running.sim.wait("w-1", ready=True)

    with pytest.raises(GRPCError) as refused:
        running.admin("w-1").call("Bootstrap", machine_pb2.BootstrapRequest())

    assert refused.value.status is Status.UNIMPLEMENTED
