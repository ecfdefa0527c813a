"""Clusters of machines that share nothing but a network segment."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from fakes.stand_in import BOOTSTRAP, Bed, Vm, admin, config, free_port, ready, until
from fakes.talos_client import Secrets
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.talos.api._wire import machine_pb2

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]


class Cluster:
    """Machines of one cluster; the first control plane is its endpoint."""

    def __init__(self, bed: Bed, made: Secrets) -> None:
        self._bed, self.secrets = bed, made
        self._segment = free_port()
        self.machines: dict[str, Vm] = {}

    def add(self, name: str, number: int) -> Vm:
        """A machine that boots from a disk image in place, and has its configuration from a volume."""
        kind = "worker" if name.startswith("w") else "controlplane"
        text = config(self._bed, self.secrets, kind, name, "10.9.0.1", f"10.9.0.{number}")
        volume = self._bed.volume("cidata", {"user-data": text, "meta-data": "{}\n"})
        disk = self._bed.raw_disk(self._bed.artifact("nocloud-amd64.raw.xz"))
        vm = self._bed.vm(name, segment=self._segment, media=[volume], disk=disk, memory_mib=384).start()
        self.machines[name] = vm
        return vm

    def call(self, name: str, method: str, request: Any = None) -> Any:
        return admin(self.machines[name], self.secrets, self._bed.folder).call(method, request)

    def bootstrap(self, name: str) -> None:
        def look() -> bool:
            try:
                self.call(name, "Bootstrap", BOOTSTRAP)
            except GRPCError as err:
                if err.status != Status.FAILED_PRECONDITION:
                    raise
                return False
            return True

        until(look)

    def wait(self, *names: str) -> None:
        for name in names:
            until(lambda name=name: ready(self.machines[name], self.secrets, self._bed.folder))

    def members(self, name: str) -> dict[str, bool]:
        """The members of etcd by name, as one machine sees them, with whether they vote."""
        found = admin(self.machines[name], self.secrets, self._bed.folder).members()
        return {member: not told.is_learner for member, told in found.items()}

    def nodes(self, name: str) -> dict[str, bool]:
        """The nodes that one control plane's Kubernetes API lists, with whether they are ready."""
        import json
        import urllib.request

        user = self.secrets.kubernetes_user("system:masters")
        path = self._bed.folder / "kubernetes.pem"
        path.write_text(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
        context = ssl.create_default_context(cadata=self.secrets.k8s.crt)
        context.load_cert_chain(path)
        url = f"https://127.0.0.1:{self.machines[name].kubernetes_port}/api/v1/nodes"
        with urllib.request.urlopen(url, context=context, timeout=20) as answer:
            items = json.load(answer)["items"]
        return {item["metadata"]["name"]: item["status"]["conditions"][0]["status"] == "True" for item in items}


def _decoded(text: str) -> str:
    import base64

    return base64.b64decode(text).decode()


def test_a_control_plane_and_a_worker(bed: Bed, made_secrets: Secrets) -> None:
    """Both become ready, the worker by a certificate the control plane signed; a loss of power is noticed."""
    cluster = Cluster(bed, made_secrets)
    cluster.add("cp1", 1).console.expect("stage booting")
    cluster.bootstrap("cp1")
    worker = cluster.add("w1", 2)
    worker.console.expect("certificate signed")
    cluster.wait("cp1", "w1")
    assert until(lambda: cluster.nodes("cp1") == {"cp1": True, "w1": True})
    found = admin(cluster.machines["w1"], made_secrets, bed.folder).list("Members.cluster.talos.dev", "cluster")
    assert sorted(found) == ["cp1", "w1"]
    print("resident MiB", {name: vm.resident_mib for name, vm in cluster.machines.items()})

    worker.cut()
    until(lambda: cluster.nodes("cp1") == {"cp1": True, "w1": False})
    worker.start()
    cluster.wait("w1")
    assert until(lambda: cluster.nodes("cp1") == {"cp1": True, "w1": True})


def test_three_control_planes(bed: Bed, made_secrets: Secrets, tmp_path: Path) -> None:
    """They form one etcd; one is rebooted and comes back as the same member, one leaves, and all agree."""
    cluster = Cluster(bed, made_secrets)
    for number, name in enumerate(("cp1", "cp2", "cp3"), start=1):
        cluster.add(name, number)
    for vm in cluster.machines.values():
        vm.console.expect("stage booting")
    cluster.bootstrap("cp1")
    cluster.wait("cp1", "cp2", "cp3")
    everybody = {"cp1": True, "cp2": True, "cp3": True}
    assert until(lambda: all(cluster.members(name) == everybody for name in everybody))

    cluster.call("cp2", "Reboot", machine_pb2.RebootRequest())
    cluster.machines["cp2"].console.expect("config from disk")
    cluster.wait("cp2")
    assert cluster.members("cp2") == everybody

    admin(cluster.machines["cp3"], made_secrets, tmp_path).reset(graceful=True, reboot=False)
    cluster.machines["cp3"].console.expect("power off")
    assert until(lambda: cluster.members("cp1") == cluster.members("cp2") == {"cp1": True, "cp2": True})
