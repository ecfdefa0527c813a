"""Which shape of configuration a Talos release expects, asked by name.

A contract is the `major.minor` a cluster was born with. It decides which keys are written, never which
release is installed, and it stays when the release moves on. Code asks a contract a named question; it
never compares numbers, so a further release is a few answers here.
"""

from __future__ import annotations

import re

from attrs import frozen

_VERSION = re.compile(r"^v?(?P<major>\d+)\.(?P<minor>\d+)(?:\.|\Z)")


@frozen(order=True)
class Contract:
    """A Talos minor release as the shape of its configuration."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Contract:
        """Reads `v1.13.9`, `1.13.9` or `1.13`; raises ValueError when there is no minor release in it."""
        match = _VERSION.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a Talos version; one looks like v1.13.9")
        return cls(int(match["major"]), int(match["minor"]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @property
    def spells_out_fixed_features(self) -> bool:
        """Whether flags that nobody may turn off any more, such as `features.rbac`, are written; until 1.11."""
        return self < Contract(1, 12)

    @property
    def names_by_document(self) -> bool:
        """Whether a node is named by a HostnameConfig; until 1.11 by `machine.network.hostname`."""
        return self >= Contract(1, 12)

    @property
    def boots_with_command_line_of_image(self) -> bool:
        """Whether GRUB takes the kernel's command line from the installed image; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def empty_machine_network(self) -> bool:
        """Whether the generated machine section has an empty `network`; dropped with 1.13."""
        return self < Contract(1, 13)

    @property
    def kubernetes_by_documents(self) -> bool:
        """Whether Kubernetes, discovery and host DNS are configured by documents of their own; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def installs_by_document(self) -> bool:
        """Whether an UnattendedInstallConfig tells where to install; until 1.13 `machine.install`."""
        return self >= Contract(1, 14)

    @property
    def hardens_by_document(self) -> bool:
        """Whether secure mounts, isolated workloads and trimmed file systems are asked for; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def publishes_installer(self) -> bool:
        """Whether an installer is published beside the release; from 1.14 only the Image Factory has them."""
        return self < Contract(1, 14)

    @property
    def api_server_in_root(self) -> bool:
        """Whether the API server is described in the root document; it has one of its own from 1.14."""
        return self < Contract(1, 14)

    @property
    def url_safe_cluster_id(self) -> bool:
        """Whether new cluster ids use the URL-safe base64 alphabet; the standard one from 1.14."""
        return self < Contract(1, 14)
