"""The provider keeps the rules of the house, before Acme."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from acme_remote import AcmeRemote
from prov_acme import provider as acme
from prov_acme.cloud import Cloud

from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.provider_suite import ProviderSuite, Shape
from provisioner.sdk import Address, Ref, Secret

NAME = "[a-z0-9-]{1,32}"


class TestAcme(ProviderSuite, KindSuite):
    """The provider and its kinds."""

    provider = acme
    shape = Shape(size="small", options={"disk_gib": 20})
    names: ClassVar[Mapping[str, str]] = {
        "acme.address.name": NAME,
        "acme.disk.name": NAME,
        "acme.machine.name": NAME,
    }
    samples: ClassVar[Mapping[str, Sample]] = {
        "acme.address/one": Sample({"name": "one"}),
        "acme.disk/one": Sample({"name": "one", "size_gib": 5}, changed={"size_gib": 6, "labels": {"of": "one"}}),
        "acme.machine/one": Sample(
            {
                "name": "one",
                "size": "small",
                "disk": Ref(Address("acme.disk", "one"), "id"),
                "image": "talos-v1.13.9",
                "user_data": Secret("planted-user-data"),
            },
            changed={"labels": {"of": "one"}},
        ),
    }

    @pytest.fixture
    def cloud(self, tmp_path: Path) -> AcmeRemote:
        return AcmeRemote(Cloud(tmp_path / "acme", "a test"))

    @pytest.fixture
    def settings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
        monkeypatch.setenv("ACME_TOKEN", "planted-token")
        return {"folder": str(tmp_path / "acme")}
