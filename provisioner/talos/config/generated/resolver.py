"""The `ResolverConfig` document: the machine answers DNS questions of its pods itself."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "ResolverConfig"


def document(subject: Subject) -> Document:
    """The host's own DNS server, also for CoreDNS."""
    return typed(KIND, hostDNS={"enabled": True, "forwardKubeDNSToHost": True})
