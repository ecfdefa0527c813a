"""A real cluster, as the kinds see it: machines over gRPC, Kubernetes over HTTPS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from provisioner.sdk import OperatorNeeded, ProviderError
from provisioner.talos.api.access import Applied, Configured, Disk, KubernetesNode, Outlook, Silent, Wipe
from provisioner.talos.api.calls import etcd, machine
from provisioner.talos.api.calls.disks import disks
from provisioner.talos.api.connections import Call, Connections, T
from provisioner.talos.api.identity import signed_by
from provisioner.talos.api.kubernetes import Kubernetes, connect
from provisioner.talos.api.links import Links
from provisioner.talos.api.probe import probe, survey

CALL_TIMEOUT_S = 10.0


class Cluster:
    """Access to a cluster's machines, with what is known of their addresses; implements `api.access.Access`."""

    def __init__(
        self,
        name: str,
        links: Links,
        *,
        control_planes: Mapping[str, str],
        nodes: Mapping[str, str],
        endpoint: str,
    ) -> None:
        self.name = name
        self.control_planes = dict(control_planes)
        self.nodes = dict(nodes)
        self.endpoint = endpoint
        self._links = links

    def look(self, hosts: Iterable[str], *, configs: bool = True, services: bool = True) -> Mapping[str, Outlook]:
        """What each host is at; all are asked at once."""
        wanted = tuple(dict.fromkeys(hosts))
        if not wanted:
            return {}
        try:
            self._links.talos.context()
        except ProviderError as err:
            return dict.fromkeys(wanted, Silent(err.summary))
        questions = partial(survey, configs=configs, services=services)
        return dict(zip(wanted, self._links.loop.run(self._look(wanted, questions)), strict=True))

    async def _look(self, hosts: tuple[str, ...], questions: Call[Configured]) -> list[Outlook]:
        links = self._links
        signed_by_us = partial(signed_by, links.ca)
        return await asyncio.gather(
            *(probe(host, links.ours, links.anyone, signed_by_us, questions) for host in hosts)
        )

    def apply(self, host: str, text: str, *, maintenance: bool) -> Applied:
        connections = self._links.anyone if maintenance else self._links.ours
        return self._ask(host, partial(machine.apply, text=text), connections)

    def bootstrap(self, host: str) -> None:
        self._ask(host, machine.bootstrap, self._links.ours)

    def reboot(self, host: str) -> None:
        self._ask(host, machine.reboot, self._links.ours)

    def reset(self, host: str, *, graceful: bool, reboot: bool, wipe: Wipe = Wipe()) -> None:
        self._ask(host, partial(machine.reset, graceful=graceful, reboot=reboot, wipe=wipe), self._links.ours)

    def disks(self, host: str, *, maintenance: bool = False) -> tuple[Disk, ...]:
        return self._ask(host, disks, self._links.anyone if maintenance else self._links.ours)

    def remove_member(self, host: str, member_id: int) -> None:
        self._ask(host, partial(etcd.remove, member_id=member_id), self._links.ours)

    def kubernetes_nodes(self) -> Mapping[str, KubernetesNode]:
        return self._kubernetes().nodes()

    def delete_kubernetes_node(self, name: str) -> None:
        self._kubernetes().delete_node(name)

    def _ask(self, host: str, call: Call[T], connections: Connections) -> T:
        return self._links.loop.run(connections.ask(host, call, timeout_s=CALL_TIMEOUT_S))

    def _kubernetes(self) -> Kubernetes:
        endpoint = self.endpoint or next(iter(self.control_planes.values()), "")
        if not endpoint:
            raise OperatorNeeded(
                "the address of the Kubernetes API is not known",
                remedy="apply the cluster file first; the endpoint is made with it",
            )
        return Kubernetes(lambda: connect(endpoint, self._links.admin.context()))
