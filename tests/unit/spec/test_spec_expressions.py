"""`${…}`: what is known at once, what waits, what stays secret."""

from __future__ import annotations

import subprocess
import sys

import pytest

from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.value import Call, Ref, Secret, Unknown, evaluate, has_secret, refs
from provisioner.spec.expressions import MAX_LENGTH, expand
from provisioner.spec.references import ENDPOINT, ReferenceFault, Scope

BUCKET = Address("sim.bucket", "backups")
DASHED = Address("sim.bucket", "b-2")
HOST = Ref(Address("cluster.node", "control-1"), "host")

SCOPE = Scope(
    variables={"workers": 2, "env": "dev", "zones": ("a", "b"), "on": True, "rate": 1.5},
    environ={"TOKEN": "hunter2", "REGION": "eu"},
    declared_env=frozenset({"REGION"}),
    cluster="demo",
    resources={"backups": BUCKET, "b-2": DASHED, "bad": None},
    nodes=("control-1",),
    broken=frozenset({"unset"}),
    broken_pools=frozenset({"odd"}),
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (2, "${var.workers}"),
        (2, "${ var.workers }"),
        (True, "${var.on}"),
        (("a", "b"), "${var.zones}"),
        ("dev", '${var["env"]}'),
        ("demo-dev-2-true", "${cluster.name}-${var.env}-${var.workers}-${var.on}"),
        ("eu", "${env.REGION}"),
        ("${uuid}", "$${uuid}"),
        ("$${uuid} dev", "$$${uuid} ${var.env}"),
        ("costs 5$ or $$", "costs 5$ or $$"),
    ],
)
def test_plain_references_are_known_at_once(value: object, text: str) -> None:
    found = expand(text, SCOPE)
    assert (value, type(value)) == (found, type(found))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "${var.workers + 1}"),
        (1, '${var.env == "prod" ? 3 : 1}'),
        ("DEV", "${var.env.upperAscii()}"),
        ("a-b", '${var.zones.join("-")}'),
        ("n3", "n${var.workers + 1}"),
        ((3, 4), "${[1, 2].map(x, x + var.workers)}"),
        ({"a": 2}, '${{"a": var.workers}}'),
        ("}", '${"}"}'),
        (0, "${var.workers-var.workers}"),
        (True, "${true}"),
    ],
)
def test_anything_else_is_cel(value: object, text: str) -> None:
    assert value == expand(text, SCOPE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Ref(BUCKET, "arn"), "${resources.backups.arn}"),
        (Ref(DASHED, "certs.os.crt"), "${resources.b-2.certs.os.crt}"),
        (HOST, "${nodes.control-1.ip}"),
        (HOST, '${nodes["control-1"].host}'),
        (Ref(Address("cluster.node", "control-1"), "id"), "${nodes.control-1.id}"),
        (ENDPOINT, "${cluster.endpoint}"),
        (Call("concat", (HOST, ":50000")), "${nodes.control-1.ip}:50000"),
    ],
)
def test_what_apply_makes_is_a_reference(value: object, text: str) -> None:
    assert value == expand(text, SCOPE)


def test_cel_over_outputs_waits_for_them_and_is_then_computed() -> None:
    value = expand('${resources["b-2"].name + "/" + nodes["control-1"].ip + "/" + var.env}', SCOPE)
    assert [Ref(DASHED, "name"), HOST] == list(refs(value))
    known = {Ref(DASHED, "name"): "etcd", HOST: "127.0.0.5"}
    assert evaluate(value, known.__getitem__, CORE) == "etcd/127.0.0.5/dev"
    assert isinstance(evaluate(value, lambda ref: Unknown(str(ref.to)), CORE), Unknown)


def test_a_method_on_an_output_is_no_part_of_its_name() -> None:
    value = expand('${resources.backups.name.startsWith("e")}', SCOPE)
    assert [Ref(BUCKET, "name")] == list(refs(value))
    assert evaluate(value, lambda _: "etcd", CORE) is True


def test_a_name_within_a_text_or_behind_a_dot_is_no_reference() -> None:
    assert expand('${"var.nothing"}', SCOPE) == "var.nothing"
    assert expand('${{"var": 1}.var}', SCOPE) == 1


@pytest.mark.parametrize("text", ["${env.TOKEN}", "x-${env.TOKEN}", '${env.TOKEN + "!"}', "${[env.TOKEN]}"])
def test_what_saw_a_secret_is_secret(text: str) -> None:
    value = expand(text, SCOPE)
    assert has_secret(value)
    assert "hunter2" not in repr(value)


def test_a_secret_keeps_its_value() -> None:
    value = expand("x-${env.TOKEN}", SCOPE)
    assert isinstance(value, Secret)
    assert value.reveal() == "x-hunter2"


def test_a_scope_does_not_print_the_environment() -> None:
    assert "hunter2" not in repr(SCOPE)


@pytest.mark.parametrize("text", ["${int(env.TOKEN)}", "${env.TOKEN + 1}", "${env.TOKEN[3]}"])
def test_a_failure_over_a_secret_does_not_quote_it(text: str) -> None:
    with pytest.raises(ReferenceFault) as caught:
        expand(text, SCOPE)
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize("text", ["${var.unset}", "${resources.bad.id}", "${nodes.odd-7.ip}", "${var.unset + 1}"])
def test_what_has_a_problem_of_its_own_is_not_reported_again(text: str) -> None:
    with pytest.raises(ReferenceFault) as caught:
        expand(text, SCOPE)
    assert caught.value.reported


def test_an_environment_variable_that_is_no_text_is_refused() -> None:
    with pytest.raises(ReferenceFault) as caught:
        expand("${env.RAW}", Scope(environ={"RAW": "\udcff"}))
    assert caught.value.code == "expression-environment"


def test_only_known_things_may_shape_the_cluster() -> None:
    with pytest.raises(ReferenceFault) as caught:
        expand("${nodes.control-1.ip}", Scope(nodes=("control-1",)))
    assert caught.value.code == "expression-too-late"


@pytest.mark.parametrize("piece", ["1+", "-", "!", "(", "[", "a.", "1?", "x[", "{", '"', "${", "in ", "1:"])
def test_an_expression_of_any_form_is_an_error_at_worst(piece: str) -> None:
    """Run in a process of its own: the CEL parser is recursive, and a deep input could end the process."""
    source = (
        "from provisioner.spec.expressions import expand\n"
        "from provisioner.spec.references import ReferenceFault, Scope\n"
        f"try: expand('${{' + {piece!r} * ({MAX_LENGTH} // {len(piece)}) + '1}}', Scope())\n"
        "except ReferenceFault: pass\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0


def test_plain_references_do_not_load_cel() -> None:
    source = (
        "import sys\n"
        "from provisioner.spec.expressions import expand\n"
        "from provisioner.spec.references import Scope\n"
        "scope = Scope(variables={'a': 1}, resources={}, nodes=('c-1',))\n"
        "expand('${var.a} ${nodes.c-1.ip}', scope)\n"
        "assert 'cel' not in sys.modules\n"
        "expand('${var.a + 1}', scope)\n"
        "assert 'cel' in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
