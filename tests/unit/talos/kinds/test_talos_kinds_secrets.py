"""The secrets bundle is made once."""

from __future__ import annotations

from typing import Any

from provisioner.sdk import Absent, Address, Done, Job, Schema, Secret, Seen, dig, leaves
from provisioner.talos.kinds.secrets import SecretsKind, SecretsOutputs, SecretsProps
from provisioner.talos.pki.bundle import from_tree

KIND = SecretsKind()
JOB: Job[Any, Any] = Job(
    key="k", generation=1, address=Address("talos.secrets", "cluster"), wanted=SecretsProps("1.13")
)


def test_a_bundle_in_the_layout_of_secrets_yaml_with_private_leaves_concealed(ctx):
    answer = KIND.create(None, JOB, ctx)
    assert isinstance(answer, Done)
    tree = Schema.of(SecretsOutputs).dump(answer.outputs)
    assert tree["id"] == from_tree(tree).cluster_id
    plain = {".".join(map(str, path)) for path, leaf in leaves(tree) if not isinstance(leaf, Secret)}
    assert plain == {"id", "cluster.id"} | {f"certs.{name}.crt" for name in ("etcd", "k8s", "k8saggregator", "os")}
    assert isinstance(dig(tree, "certs.k8sserviceaccount.key"), Secret)


def test_what_is_on_record_is_the_truth_and_never_made_anew(ctx):
    recorded = SecretsOutputs("id", {}, {}, {}, {})
    job: Job[Any, Any] = Job("k", 1, JOB.address, wanted=JOB.wanted, applied=JOB.wanted, outputs=recorded)
    assert isinstance(KIND.read(None, [job], ctx)["k"], Seen)
    assert Done(recorded) == KIND.create(None, job, ctx)
    assert Done(recorded) == KIND.update(None, job, ctx)


def test_before_the_record_there_is_nothing(ctx):
    assert KIND.read(None, [JOB], ctx) == {"k": Absent()}


def test_its_removal_is_quiet(ctx):
    assert Done(None) == KIND.delete(None, JOB, ctx)
