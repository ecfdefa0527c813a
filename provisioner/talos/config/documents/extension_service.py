"""The `ExtensionServiceConfig` document: files and environment of a service that a system extension brings.

Source: siderolabs/talos v1.14, `types/runtime/extensions`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import LOOSE, PATH, TEXT, VARIABLE_NAME
from provisioner.talos.settings.leaf import joined
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target, document, table, tables
from provisioner.talos.settings.shape import Key, Named, Table

_SERVICES = Key(
    Named(
        TEXT,
        Table(
            {
                "files": Key(Named(PATH, TEXT), "contents by the path where the service finds them"),
                "environment": Key(Named(VARIABLE_NAME, LOOSE), "its environment"),
            }
        ),
    ),
    "services that system extensions bring, by name",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    for name, service in tables(settings, "extension_services"):
        files, variables = table(service, "files"), table(service, "environment")
        yield document(
            "ExtensionServiceConfig",
            name,
            configFiles=tuple({"content": content, "mountPath": path} for path, content in files.items()) or None,
            environment=tuple(joined(f"{key}=", value) for key, value in variables.items()) or None,
        )


def _judge(settings: Settings) -> Iterator[Complaint]:
    for name, service in tables(settings, "extension_services"):
        if not table(service, "files") and not table(service, "environment"):
            yield Complaint(("extension_services", name), "it says nothing", "add `files:` or `environment:`")


EXTENSION_SERVICES = Section({"extension_services": _SERVICES}, _compile, _judge)
