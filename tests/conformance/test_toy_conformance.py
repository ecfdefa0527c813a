"""The toy keeps the rules of the house, so what is proven on it holds for providers that keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from fakes.toy_remote import ToyRemote

from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.toy import ToyProvider
from provisioner.sdk import Address, Provider, Ref, Secret

THING = Sample(
    {
        "name": "one",
        "token": Secret("planted-token"),
        "seed": Secret("planted-seed"),
        "label": "old",
        "host": "One.Example",
        "at": "rack-1",
    },
    changed={
        "size": 2,
        "token": Secret("another-token"),
        "parts": {"wheels": 4},
        "note": "read nowhere",
        "host": "Two.Example",
    },
)


class TestToyKinds(KindSuite):
    """Kinds in memory."""

    provider: ClassVar[Provider] = ToyProvider()
    samples: ClassVar = {
        "toy.thing/one": THING,
        "toy.vault/one": THING,
        "toy.thing/two": Sample({"name": "two", "note": Ref(Address("toy.disk", "one"), "name")}),
        "toy.disk/one": Sample({"size": 5}, changed={"tier": "fast"}),
        "toy.server/one": Sample(
            {"version": 1}, changed={"version": 3, "size": 2}, actions=("snapshot", "drain", "reboot", "uncordon")
        ),
        "toy.upload/one": Sample({"name": "one", "content": "much"}),
        "toy.image/talos": Sample({"name": "talos"}, changed={"name": "nothing"}),
        "toy.gate/one": Sample({}),
    }

    @pytest.fixture
    def cloud(self) -> ToyRemote:
        remote = ToyRemote()
        remote.cloud.images["talos"] = "sha256:1"
        return remote

    @pytest.fixture
    def connect(self, cloud: ToyRemote) -> Callable[[], Any]:
        provider = ToyProvider(cloud.cloud)
        return lambda: provider.connect(provider.settings())
