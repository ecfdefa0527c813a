"""The `RegistryTLSConfig` document: whom to trust as a registry, and as whom to come.

Source: siderolabs/talos v1.14, `types/cri/registry_tls.go`; the root document of v1.11 has the same in base64.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.settings.forms import CERTIFICATE, FLAG, PRIVATE_KEY, REGISTRY
from provisioner.talos.settings.leaf import base64_of
from provisioner.talos.settings.section import Complaint, Document, Settings, document, present, renamed, table
from provisioner.talos.settings.shape import Key, Named, Table

TLS = Key(
    Named(
        REGISTRY,
        Table(
            {
                "ca": Key(CERTIFICATE, "the authority that signs its certificate"),
                "client": Key(
                    Table(
                        {
                            "cert": Key(CERTIFICATE, "the certificate", required=True),
                            "key": Key(PRIVATE_KEY, "its key; take it from `${env.NAME}`", required=True),
                        }
                    ),
                    "as whom to come",
                ),
                "insecure_skip_verify": Key(FLAG, "whether anybody is taken for the registry"),
            }
        ),
    ),
    "whom to trust as the registry, and as whom to come",
)


def registry_tls(name: str, settings: Settings) -> Document:
    """The document of one registry."""
    identity = renamed(table(settings, "client"), {"cert": "cert", "key": "key"})
    return document(
        "RegistryTLSConfig",
        name,
        clientIdentity=identity,
        ca=settings.get("ca"),
        insecureSkipVerify=settings.get("insecure_skip_verify"),
    )


def legacy_tls(settings: Settings) -> dict[str, Value]:
    """The `tls` of an entry of `machine.registries.config`."""
    client = table(settings, "client")
    identity = {"crt": base64_of(client.get("cert")), "key": base64_of(client.get("key"))} if client else {}
    authority = base64_of(settings["ca"]) if "ca" in settings else None
    return present(clientIdentity=identity, ca=authority, insecureSkipVerify=settings.get("insecure_skip_verify"))


def judge_tls(settings: Settings, *path: str) -> Iterator[Complaint]:
    """An entry that says nothing."""
    if not settings:
        yield Complaint(path, "it says nothing about the registry", "add `ca:`, or take it out")
