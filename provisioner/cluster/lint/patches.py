"""Rules about patches: whether they do anything, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from provisioner.cluster.lint.subject import Complaint, Subject
from provisioner.cluster.places import label
from provisioner.cluster.stages import Staged
from provisioner.errors import Place, did_you_mean
from provisioner.model.value import Secret, Sourced, Value, leaves, strip_origins
from provisioner.spec.schema import Patch
from provisioner.talos.config.kinds import all_kinds, is_for_control_planes, known_since
from provisioner.talos.config.operations import are_operations
from provisioner.talos.config.patch import identity_of, place_of
from provisioner.talos.config.path import dotted
from provisioner.talos.config.redact import mark_secrets, named_secret
from provisioner.talos.config.twins import twins
from provisioner.talos.versions import Contract

_SHORTEST_SECRET: Final = 8
_SHORTEST_KEY: Final = 32
"""What is called `key` is often a name, such as that of a taint; a key of a cipher is longer than those."""


def patch_without_effect(subject: Subject) -> Iterator[Complaint]:
    """A patch that changes nothing on any of its nodes sets what is set already, or deletes what is not there.

    Then it is either of no use, or it does not reach what it was written for.
    """
    effects: dict[Place, bool] = {}
    for node in subject.nodes:
        for number, patch in enumerate(node.patches):
            before, after = (strip_origins(stage) for stage in node.stages[number + 1 : number + 3])
            effects[patch.place] = effects.get(patch.place, False) or before != after
    for place, effective in effects.items():
        if not effective:
            yield Complaint(
                "the configuration of every node it is for is the same without it",
                place,
                "take it out, or see with `prov why PATH` what it meets",
            )


def listed_twice(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """Lists are appended to, so what a patch repeats is there twice.

    Of manifests and static pods Talos refuses two with one name, and two equal mounts fail when they are made.
    """
    for document in node.documents:
        identity = identity_of(document)
        for path, items in _lists(document, ()):
            met: list[Value] = []
            for item in items:
                bare = strip_origins(item)
                if bare in met:
                    yield Complaint(
                        f"{label(identity, path)} has the same element more than once",
                        subject.place(node, item),
                        "take it out of the patch: lists are appended to",
                    )
                met.append(bare)


def _lists(value: Value, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], tuple[Value, ...]]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lists(item, (*path, key))
    elif isinstance(value, tuple):
        yield path, value
        for index, item in enumerate(value):
            yield from _lists(item, (*path, index))


def old_and_new_form(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """Some settings may stand in the root document and in a document of their own; readers see one of the two only.

    Where Talos takes one form only, prov refuses the other anyway, and no rule is needed.
    """
    for found in twins(node.documents):
        if found.meaning:
            yield Complaint(
                f"{dotted(found.path)} and {found.kind}: {found.meaning}",
                subject.place(node, found.old),
                f"write all of it as {found.kind}",
            )


def unknown_kind(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """A node refuses its whole configuration for one document of a kind that its release does not know.

    prov passes documents on that it does not know, for a release may be newer than prov; more often it is a slip.
    """
    known = [kind for kind in all_kinds() if _knows(subject, kind)]
    for document in node.documents:
        kind = identity_of(document).kind
        if kind and known_since(kind) is None:
            yield Complaint(
                f"no release of Talos is known to have {kind}",
                subject.place(node, document),
                did_you_mean(kind, known),
            )


def newer_kind(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """A node refuses its whole configuration for one document of a kind that came with a later release.

    Until the nodes run that release, the setting has a key in the root document or does not exist.
    """
    for document in node.documents:
        kind = identity_of(document).kind
        since = known_since(kind)
        if since is not None and not _knows(subject, kind):
            yield Complaint(
                f"there is {kind} from Talos {since} on, and the nodes run {subject.topology.talos.version}",
                subject.place(node, document),
                "take it out, or write it as part of `machine:` or `cluster:`",
            )


def control_plane_document(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """A worker refuses a configuration with documents that are for control planes, such as KubeAPIServerConfig."""
    if node.node.role == "controlplane":
        return
    for document in node.documents:
        kind = identity_of(document).kind
        if is_for_control_planes(kind) and _knows(subject, kind):
            yield Complaint(
                f"{kind} is for control planes only",
                subject.place(node, document),
                "give the patch `role: controlplane`",
            )


def _knows(subject: Subject, kind: str) -> bool:
    """Whether the release that the nodes run knows a kind of documents."""
    since = known_since(kind)
    return since is not None and since <= Contract.parse(subject.topology.talos.version)


def secret_in_the_clear(subject: Subject) -> Iterator[Complaint]:
    """A secret in a file is in the history of that file for good, and readable for all who can read the project.

    What an environment or the headers of a request hold counts as a secret where its name says so, as `API_TOKEN`
    does, or where credentials stand in it, as in `http://user:password@proxy`.
    """
    for patch in _strategic(subject):
        for document, marked in zip(patch.documents, mark_secrets(patch.documents), strict=True):
            for (path, plain), (_, leaf) in zip(leaves(document), leaves(marked), strict=True):
                if _is_bare(plain, leaf, path[-1]) and named_secret(document, path, str(strip_origins(plain))):
                    yield Complaint(
                        f"{label(identity_of(document), path)} is written out",
                        place_of(plain) or patch.place,
                        'write "${env.NAME}" and set NAME in the environment; a file also needs `expand: true`',
                    )


def _is_bare(plain: Value, marked: Value, key: str | int) -> bool:
    """Whether a leaf is a secret by its place, and was written as a plain text."""
    if not (isinstance(marked, Sourced) and isinstance(marked.value, Secret) and isinstance(plain, Sourced)):
        return False
    if not isinstance(plain.value, str):
        return False
    return len(plain.value) >= (_SHORTEST_KEY if key == "key" else _SHORTEST_SECRET)


_DEPRECATED: Final[Mapping[str, tuple[Contract, str]]] = {
    "cluster.allowSchedulingOnMasters": (Contract(1, 2), "allowSchedulingOnControlPlanes"),
    "cluster.etcd.subnet": (Contract(1, 2), "cluster.etcd.advertisedSubnets"),
    "cluster.apiServer.disablePodSecurityPolicy": (Contract(1, 12), "nothing; Kubernetes has none any more"),
    "machine.baseRuntimeSpecOverrides": (Contract(1, 14), "CRIBaseRuntimeSpecConfig"),
    "machine.disks": (Contract(1, 10), "UserVolumeConfig"),
    "machine.env": (Contract(1, 13), "EnvironmentConfig"),
    "machine.files": (Contract(1, 14), "EtcFileConfig or CRICustomizationConfig"),
    "machine.install.extensions": (Contract(1, 7), "`extensions` of `talos:` in the cluster file"),
    "machine.kernel": (Contract(1, 14), "KernelModuleConfig"),
    "machine.network.interfaces": (Contract(1, 12), "LinkConfig and its relatives"),
    "machine.network.kubespan": (Contract(1, 13), "KubeSpanConfig"),
    "machine.network.nameservers": (Contract(1, 12), "ResolverConfig"),
    "machine.pods": (Contract(1, 14), "KubeStaticPodConfig"),
    "machine.registries": (Contract(1, 12), "RegistryMirrorConfig, RegistryAuthConfig and RegistryTLSConfig"),
    "machine.sysctls": (Contract(1, 14), "SysctlConfig"),
    "machine.sysfs": (Contract(1, 14), "SysfsConfig"),
    "machine.systemDiskEncryption": (Contract(1, 11), "VolumeConfig"),
    "machine.time": (Contract(1, 12), "TimeSyncConfig"),
    "machine.udev": (Contract(1, 14), "UdevRulesConfig"),
}
"""Keys of the root document that still work, with the contract from which on something else is meant for it."""


def deprecated_key(subject: Subject) -> Iterator[Complaint]:
    """A key that Talos has replaced still works, but a later release may take it away, and documentation forgets it.

    Only what a patch says is complained of, and only from the contract on that has the replacement.
    """
    contract = Contract.parse(subject.topology.talos.contract)
    for patch in _strategic(subject):
        told: set[str] = set()
        for document in (document for document in patch.documents if not identity_of(document).kind):
            for path, leaf in leaves(document):
                key = next((key for key in _DEPRECATED if f"{dotted(path)}.".startswith((f"{key}.", f"{key}["))), "")
                if key and key not in told and _DEPRECATED[key][0] <= contract:
                    told.add(key)
                    since, instead = _DEPRECATED[key]
                    place = place_of(leaf) or patch.place
                    yield Complaint(f"{key} has a successor since Talos {since}", place, f"use {instead}")


def _strategic(subject: Subject) -> Iterator[Patch]:
    """Every patch of the file that is made of documents."""
    every = (*subject.spec.patches, *(patch for pool in subject.spec.pools for patch in pool.patches))
    return (patch for patch in every if not are_operations(patch.documents))
