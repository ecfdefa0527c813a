"""etcd, which is part of the root document in every release.

Source: siderolabs/talos v1.14, `types/v1alpha1` (EtcdConfig).
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import ENDPOINT_FILTER, LOOSE, TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, items, present, table
from provisioner.talos.settings.shape import Key, Many, Named, Table

_ETCD = Key(
    Table(
        {
            "advertised_subnets": Key(
                Many(ENDPOINT_FILTER), "networks of which the address is one that members tell each other"
            ),
            "listen_subnets": Key(
                Many(ENDPOINT_FILTER), "networks it listens on; those it tells of unless it says otherwise"
            ),
            "extra_args": Key(Named(TEXT, LOOSE), "further arguments, without the dashes"),
        }
    ),
    "the addresses that the members of etcd use",
    leads=True,
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    etcd = table(settings, "etcd")
    if not etcd or not target.leads:
        return
    fields = present(
        extraArgs=table(etcd, "extra_args"),
        advertisedSubnets=items(etcd, "advertised_subnets") or None,
        listenSubnets=items(etcd, "listen_subnets") or None,
    )
    yield {"cluster": {"etcd": fields}}


ETCD = Section({"etcd": _ETCD}, _compile)
