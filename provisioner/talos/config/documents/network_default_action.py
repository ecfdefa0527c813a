"""The `NetworkDefaultActionConfig` document: what becomes of traffic that no rule speaks of.

Source: siderolabs/talos v1.14, `types/network/default_action_config.go`.
"""

from __future__ import annotations

from provisioner.sdk import Value
from provisioner.talos.settings.forms import one_of
from provisioner.talos.settings.section import Document, document
from provisioner.talos.settings.shape import Key

DEFAULT = Key(one_of("accept", "block"), "what becomes of traffic that no rule speaks of")


def network_default_action(ingress: Value) -> Document:
    """The document."""
    return document("NetworkDefaultActionConfig", ingress=ingress)
