"""Rules about how many nodes there are, and what they are for."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.cluster.lint.subject import Complaint, Subject, at, of_kind, root_of
from provisioner.cluster.stages import Staged
from provisioner.model.value import strip_origins

_TAINT = "node-role.kubernetes.io/control-plane"
_NODE = "KubeNodeConfig"
_ALLOWING = {
    False: "`cluster: {allowSchedulingOnControlPlanes: true}`",
    True: f"`{{apiVersion: v1alpha1, kind: {_NODE}, taints: {{{_TAINT}: {{$patch: delete}}}}}}`",
}
"""What lets control planes take pods, without and with a document for it."""


def even_control_planes(subject: Subject) -> Iterator[Complaint]:
    """etcd decides by majority: four members bear the loss of one, just as three do, and there is one more to fail.

    Two members are worse than one, for the loss of either stops the cluster.
    """
    leads = subject.topology.control_planes
    if len(leads) % 2:
        return
    pool = next(pool for pool in subject.spec.pools if pool.name == leads[-1].pool)
    yield Complaint(
        f"there are {len(leads)}, and etcd stops when {len(leads) // 2} of them are gone",
        pool.places.get("count", pool.place),
        f"make it {len(leads) - 1} or {len(leads) + 1}",
    )


def nowhere_to_run(subject: Subject) -> Iterator[Complaint]:
    """Control planes take no ordinary pods unless they are told to, so without workers nothing of yours can run."""
    if subject.topology.workers or any(_takes_pods(node) for node in subject.nodes):
        return
    yield Complaint(
        "there are no workers, and control planes take no pods of users",
        subject.spec.pools[0].place,
        f"add a pool of workers, or a patch with {_ALLOWING[any(True for _ in of_kind(subject.nodes[0], _NODE))]}",
    )


def _takes_pods(node: Staged) -> bool:
    if strip_origins(at(root_of(node), "cluster", "allowSchedulingOnControlPlanes")) is True:
        return True
    documents = [document for _, document in of_kind(node, _NODE)]
    return bool(documents) and all(at(document, "taints", _TAINT) is None for document in documents)


def patch_for_nobody(subject: Subject) -> Iterator[Complaint]:
    """A patch for nodes that do not exist does nothing; often the pool was renamed, or its count is zero."""
    roles = {node.role for node in subject.topology.nodes}
    for patch in subject.spec.patches:
        if patch.role is not None and patch.role not in roles:
            yield Complaint(
                f"it is for {patch.role}s, and there are none", patch.place, "take it out, or add the nodes"
            )
    for pool in subject.spec.pools:
        if not pool.nodes and pool.patches:
            yield Complaint(f"the pool {pool.name} has no nodes", pool.patches[0].place, "take it out, or add nodes")
