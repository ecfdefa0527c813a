"""The `ResolverConfig` document: whom a machine asks for addresses of names.

Source: siderolabs/talos v1.14, `types/network/resolver.go`; for the root document `NetworkConfig` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value, strip_origins
from provisioner.talos.settings.forms import ADDRESS, HOST, SWITCH, one_of
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    document,
    items,
    plain,
    present,
    renamed,
    rows,
    table,
)
from provisioner.talos.settings.shape import Key, Many, Table
from provisioner.talos.versions import Contract

KIND = "ResolverConfig"


def _encrypted(contract: Contract) -> bool:
    return contract.encrypted_resolvers


_SERVER = Table(
    {
        "address": Key(ADDRESS, "its address", required=True),
        "protocol": Key(one_of("Do53", "DoT", "DoH"), "how it is asked; `Do53` is plain DNS", needs=_encrypted),
        "tls_name": Key(HOST, "the name in its certificate", needs=_encrypted),
    },
    short="address",
)
_RESOLVER = Key(
    Table(
        {
            "servers": Key(Many(_SERVER), "name servers; an address is short for `{address: …}`"),
            "search": Key(Many(HOST), "domains in which short names are looked for"),
            "search_own": Key(
                SWITCH, "whether the domain of the host name is one of them; true unless it says otherwise"
            ),
        }
    ),
    "whom the machine asks for the addresses of names",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    resolver = table(settings, "resolver")
    if not resolver:
        return
    own = plain(resolver, "search_own")
    disabled = None if own is None else not own
    if target.contract.resolver_document:
        search = present(domains=items(resolver, "search") or None, disableDefault=disabled)
        yield document(KIND, nameservers=_servers(resolver) or None, searchDomains=search)
        return
    network = present(
        nameservers=tuple(server.get("address") for server in rows(resolver, "servers")) or None,
        searchDomains=items(resolver, "search") or None,
        disableSearchDomain=disabled,
    )
    yield {"machine": {"network": network}}


def _servers(resolver: Settings) -> tuple[Value, ...]:
    names = {"address": "address", "protocol": "protocol", "tls_name": "tlsServerName"}
    return tuple(renamed(server, names) for server in rows(resolver, "servers"))


def _judge(settings: Settings) -> Iterator[Complaint]:
    for number, server in enumerate(rows(table(settings, "resolver"), "servers")):
        secured = strip_origins(server.get("protocol", "Do53")) != "Do53"
        path = ("resolver", "servers", number)
        if secured and "tls_name" not in server:
            yield Complaint(path, "an encrypted protocol needs the name in the certificate", "add `tls_name:`")
        if not secured and "tls_name" in server:
            yield Complaint(
                (*path, "tls_name"), "plain DNS has no certificate", "take it out, or add `protocol: DoT`"
            )


RESOLVER = Section({"resolver": _RESOLVER}, _compile, _judge)
