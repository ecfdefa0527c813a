"""A provider of machines keeps the rules of the house."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest
from fakes.toy_maker import ToyMaker
from fakes.toy_stock import STOCK, ToyStock

from provisioner.conformance.provider_suite import ProviderSuite
from provisioner.sdk import Provider, Value


class TestToyMachines(ProviderSuite):
    """Machines in memory."""

    provider: ClassVar[Provider] = ToyMaker()
    cannot: ClassVar[Mapping[str, str]] = {"credentials": "what is in memory needs none"}
    names: ClassVar[Mapping[str, str]] = {"toy.thing.name": r"[a-z0-9-]{1,63}"}

    def _point(self) -> EntryPoint:
        """The toy itself; what the tests make of it is no package."""
        return EntryPoint("toy", "provisioner.conformance.toy:ToyProvider", "prov.providers")


class TestToyStock(TestToyMachines):
    """Machines that are given places of a table."""

    provider: ClassVar[Provider] = ToyStock()

    @pytest.fixture
    def settings(self) -> Mapping[str, Value]:
        return STOCK
