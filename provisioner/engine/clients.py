"""Clients of provider instances, made when their settings are known and kept while these do not change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from provisioner.errors import OperatorNeeded
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.schema import Schema
from provisioner.model.state import Records, State
from provisioner.model.value import (
    Function,
    Ref,
    Unknown,
    Value,
    dig,
    evaluate,
    has_sealed,
    is_known,
    refs,
    reveal,
    strip_origins,
)
from provisioner.plugins.registry import Registry

Lookup = Callable[[Ref], Value]


@frozen
class RecordedOutputs:
    """Looks references up in what look-ups found and in what is on record, as if `gone` were not."""

    records: State | Records
    found: Mapping[Address, Mapping[str, Value]] = field(factory=dict)
    gone: frozenset[Address] = frozenset()

    def __call__(self, ref: Ref) -> Value:
        outputs = self.of(ref.to)
        if not outputs:
            return Unknown(str(ref.to))
        try:
            return dig(outputs, ref.output)
        except KeyError:
            return Unknown(f"{ref.to} has no {ref.output}")

    def of(self, address: Address) -> Mapping[str, Value] | None:
        """All outputs of a resource; as long as nothing is recorded anew they are the very same object."""
        if address in self.gone:
            return None
        entry = self.records.entries.get(address)
        return self.found.get(address) or (entry.outputs if entry is not None else None)


@frozen
class _Kept:
    """A client, the outputs that its settings were evaluated from, and what came of that."""

    outputs: tuple[Mapping[str, Value] | None, ...]
    mark: str
    client: Any


class Clients:
    """One client per provider instance and distinct settings."""

    def __init__(self, registry: Registry, providers: Mapping[str, ProviderUse]) -> None:
        self._registry = registry
        self._providers = providers
        self._kept: dict[str, _Kept] = {}
        self._refers: dict[str, tuple[Address, ...]] = {}
        self._guard = threading.Lock()
        self._functions: Mapping[str, Function] | None = None

    def client(self, instance: str, lookup: RecordedOutputs) -> Any:
        """The client of an instance, connected with what its settings are by now.

        Settings that are not known yet are left out; a provider for which they are indispensable says so in
        its settings class, and then this raises OperatorNeeded.
        """
        use = self._providers.get(instance)
        if use is None:
            raise OperatorNeeded(
                "a provider of something on record is no longer in the file",
                detail=f"the provider instance {instance!r} is not under `providers:`",
                remedy="put it back until what it made is removed",
            )
        outputs = tuple(map(lookup.of, self._referred(use)))
        kept = self._kept.get(instance)
        if kept is not None and all(one is other for one, other in zip(kept.outputs, outputs, strict=True)):
            return kept.client
        settings = self._settings(use, lookup)
        mark = repr(reveal(settings))
        with self._guard:
            kept = self._kept.get(instance)
            same = kept is not None and kept.mark == mark
            client = kept.client if kept is not None and same else self._connected(use, settings)
            self._kept[instance] = _Kept(outputs, mark, client)
            return client

    def _referred(self, use: ProviderUse) -> tuple[Address, ...]:
        """What the settings of an instance refer to."""
        known = self._refers.get(use.name)
        if known is None:
            known = self._refers[use.name] = tuple({ref.to: None for ref in refs(dict(use.settings))})
        return known

    def _settings(self, use: ProviderUse, lookup: RecordedOutputs) -> Mapping[str, Value]:
        settings = _known_part(evaluate(dict(use.settings), lookup, self.functions()))
        assert isinstance(settings, Mapping)
        if has_sealed(settings):
            raise OperatorNeeded(
                "there is no age identity to reach it with",
                remedy="set PROV_AGE_KEY or PROV_AGE_KEY_FILE to the identity the state is sealed for",
            )
        for name, sentence in Schema.of(self._registry.provider(use.type).settings).complaints(settings):
            raise OperatorNeeded(
                "the settings of a provider are incomplete",
                detail=f"{use.name}: {name} {sentence}",
                remedy=f"see the settings of {use.type} with `prov providers {use.type}`",
            )
        return settings

    def _connected(self, use: ProviderUse, settings: Mapping[str, Value]) -> Any:
        provider = self._registry.provider(use.type)
        schema = Schema.of(provider.settings)
        return provider.connect(schema.build(schema.normal(settings)))

    def functions(self) -> Mapping[str, Function]:
        """What values may call: the core's functions, and those of every provider in use."""
        if self._functions is None:
            for use in self._providers.values():
                self._registry.provider(use.type)
            self._functions = self._registry.functions()
        return self._functions


def _known_part(value: Value) -> Value:
    """The tree without what is unknown: such keys and items are left out."""
    match value:
        case Mapping():
            return {key: _known_part(item) for key, item in value.items() if not isinstance(item, Unknown)}
        case tuple():
            return tuple(_known_part(item) for item in value if is_known(item))
        case _:
            return strip_origins(value)
