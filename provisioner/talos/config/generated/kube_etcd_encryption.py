"""The `KubeEtcdEncryptionConfig` document: what Secrets are encrypted with in etcd."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeEtcdEncryptionConfig"


def document(subject: Subject) -> Document:
    """The key's name is part of what is stored, so it is the one that older contracts imply."""
    key: Document = {"name": "key2", "secret": subject.secrets("secrets.secretboxencryptionsecret")}
    rule: Document = {"resources": ("secrets",), "providers": ({"secretbox": {"keys": (key,)}},)}
    return typed(KIND, config={"resources": (rule,)})
