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

    # where documents have taken the place of parts of the root document

    @property
    def link_documents(self) -> bool:
        """Whether links, their addresses and the shared address are documents; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def resolver_document(self) -> bool:
        """Whether name servers and search domains are a document; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def host_documents(self) -> bool:
        """Whether static host names are documents; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def time_document(self) -> bool:
        """Whether the source of the time is a document; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def registry_documents(self) -> bool:
        """Whether mirrors, credentials and trust of registries are documents; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def kubespan_document(self) -> bool:
        """Whether KubeSpan is a document; from 1.13."""
        return self >= Contract(1, 13)

    @property
    def environment_document(self) -> bool:
        """Whether the environment is a document; from 1.13."""
        return self >= Contract(1, 13)

    @property
    def runtime_documents(self) -> bool:
        """Whether sysctls, sysfs, kernel modules and udev rules are documents; from 1.14."""
        return self >= Contract(1, 14)

    # what documents can express

    @property
    def kubespan_exclusions(self) -> bool:
        """Whether KubeSpan can leave networks out; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def tpm_registers(self) -> bool:
        """Whether a key can be bound to chosen registers of the TPM; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def user_volume_types(self) -> bool:
        """Whether a user volume can be a disk or a folder; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def relative_sizes(self) -> bool:
        """Whether the size of a volume can be a part of the disk; from 1.12."""
        return self >= Contract(1, 12)

    @property
    def sizes_left_free(self) -> bool:
        """Whether the size of a volume can be what is left free; from 1.13."""
        return self >= Contract(1, 13)

    @property
    def volume_mounts(self) -> bool:
        """Whether volumes have mount options; from 1.13."""
        return self >= Contract(1, 13)

    @property
    def volume_upkeep(self) -> bool:
        """Whether volumes can be trimmed and scrubbed, and their disks told of freed space; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def all_system_volumes(self) -> bool:
        """Whether parts of EPHEMERAL, such as etcd's data, can be volumes of their own; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def dhcp_without_routes(self) -> bool:
        """Whether the routes that come with an address can be left alone; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def encrypted_resolvers(self) -> bool:
        """Whether name servers can be asked over TLS or HTTPS; from 1.14."""
        return self >= Contract(1, 14)

    @property
    def secured_time(self) -> bool:
        """Whether time servers can be asked with NTS; from 1.14."""
        return self >= Contract(1, 14)


KNOWN = tuple(Contract(1, minor) for minor in range(11, 15))
"""The contracts whose answers were looked up, the oldest first."""
