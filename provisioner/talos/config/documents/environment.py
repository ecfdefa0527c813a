"""The `EnvironmentConfig` document: the environment of Talos's own services.

Source: siderolabs/talos v1.14, `types/runtime/environment.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import LOOSE, VARIABLE_NAME
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, table
from provisioner.talos.settings.shape import Key, Named

_ENVIRONMENT = Key(Named(VARIABLE_NAME, LOOSE), "the environment of Talos's own services, such as `HTTPS_PROXY`")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    variables = table(settings, "environment")
    if not variables:
        return
    if target.contract.environment_document:
        yield document("EnvironmentConfig", variables=variables)
    else:
        yield {"machine": {"env": variables}}


ENVIRONMENT = Section({"environment": _ENVIRONMENT}, _compile)
