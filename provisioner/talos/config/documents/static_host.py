"""The `StaticHostConfig` document: addresses of names, known without asking.

Source: siderolabs/talos v1.14, `types/network/static_host.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.settings.forms import ADDRESS, HOST
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target, document, items, table
from provisioner.talos.settings.shape import Key, Many, Named

_HOSTS = Key(Named(ADDRESS, Many(HOST)), "host names by address, known without asking anybody")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    hosts = table(settings, "hosts")
    if target.contract.host_documents:
        for address in hosts:
            yield document("StaticHostConfig", address, hostnames=items(hosts, address))
    elif hosts:
        entries: tuple[Value, ...] = tuple({"ip": address, "aliases": items(hosts, address)} for address in hosts)
        yield {"machine": {"network": {"extraHostEntries": entries}}}


def _judge(settings: Settings) -> Iterator[Complaint]:
    hosts = table(settings, "hosts")
    for address in hosts:
        if not items(hosts, address):
            yield Complaint(("hosts", address), "an address without names helps nobody", "name a host")


HOSTS = Section({"hosts": _HOSTS}, _compile, _judge)
