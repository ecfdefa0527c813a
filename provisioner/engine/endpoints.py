"""Which endpoint a call goes to, and what that endpoint bears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from provisioner.engine.executor import WORKERS
from provisioner.model.job import Job
from provisioner.model.plan import ProviderUse
from provisioner.model.value import strip_origins
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import Limited, Limits

_UNLIMITED = Limits(in_flight=WORKERS)
"""Of a provider that says nothing: as much as there are threads."""


@frozen
class Endpoints:
    """The endpoints of the providers in use, each named `INSTANCE`, or `INSTANCE at WHERE` where one has several."""

    registry: Registry
    providers: Mapping[str, ProviderUse]
    _known: dict[str, Limited | None] = field(factory=dict)

    def of(self, instance: str, job: Job[Any, Any]) -> str:
        """The endpoint of a call about one object."""
        provider = self._limited(instance)
        where = provider.called_at(job) if provider is not None else ""
        return f"{instance} at {where}" if where else instance

    def limits(self, endpoint: str) -> Limits:
        """By the name of the endpoint."""
        instance = endpoint.partition(" at ")[0]
        provider = self._limited(instance)
        if provider is None:
            return _UNLIMITED
        settings = strip_origins(self.providers[instance].settings)
        assert isinstance(settings, Mapping)
        return provider.limits(settings)

    def lists(self, instance: str, endpoint: str) -> bool:
        """Whether objects at an endpoint are read together: not where each has an endpoint of its own."""
        return endpoint == instance and self._limited(instance) is not None

    def _limited(self, instance: str) -> Limited | None:
        if instance not in self._known:  # asking a provider what it can do takes longer than a call to a quick one
            use = self.providers.get(instance)
            provider = self.registry.provider(use.type) if use is not None else None
            self._known[instance] = provider if isinstance(provider, Limited) else None
        return self._known[instance]
