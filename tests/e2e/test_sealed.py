"""What works without the identity that opens the state, and what comes of plans when its key is changed."""

from __future__ import annotations

import json

import pytest
from fakes.lab import Lab, cluster

pytestmark = pytest.mark.slow

PLANTED = "planted-3f9a1c77-password"
BLIND = {"PROV_AGE_KEY_FILE": ""}


def test_a_plan_needs_no_identity_and_what_needs_one_says_so(lab: Lab) -> None:
    """Secrets are not compared, and what is reached with them is taken as recorded."""
    environ = {"PASSWORD": PLANTED}
    lab.write(cluster(1, 0, outputs={"password": "${env.PASSWORD}"}))
    lab.prov("apply", "--yes", **environ)
    same = lab.prov("plan", **environ, **BLIND)
    other = lab.prov("plan", PASSWORD="another", **BLIND)
    lab.write(cluster(1, 1, outputs={"password": "${env.PASSWORD}"}))
    more = json.loads(lab.prov("plan", "--json", code=2, **environ, **BLIND).stdout)
    outputs = lab.prov("output", **environ, **BLIND)

    for plan in (same, other):
        assert "no changes" in plan.stdout
        assert "there is no age identity" in plan.stdout
        assert "what is sealed is neither compared nor shown" in plan.stderr
    assert more["counts"]["create"] == 2
    assert outputs.stdout == "password = (secret)\n"
    for args in (("plan", "--out", "x"), ("apply", "--yes"), ("kubeconfig",), ("output", "password")):
        err = lab.prov(*args, code=1, **environ, **BLIND).stderr
        assert "there is no age identity to open the state's secrets with" in err
        assert "PROV_AGE_KEY" in err


def test_a_plan_without_secrets_goes_with_its_key_as_well(lab: Lab) -> None:
    """Nothing in it is sealed but its digest."""
    resources = {"first": {"kind": "core.value", "props": {"value": 1}}}
    lab.write({"version": 1, "name": "lab", "resources": resources})
    lab.prov("plan", "--out", "saved.plan", code=2)
    lab.prov("keys", "rotate")

    assert "this plan was sealed with another key" in lab.prov("apply", "--plan", "saved.plan", code=1).stderr


def test_a_plan_sealed_before_the_key_was_changed_is_refused(lab: Lab) -> None:
    """With the way to a new one."""
    environ = {"PASSWORD": PLANTED}
    outputs = {"password": "${env.PASSWORD}"}
    lab.write(cluster(1, 0, outputs=outputs))
    lab.prov("apply", "--yes", **environ)
    lab.write(cluster(1, 1, outputs=outputs))
    lab.prov("plan", "--out", "saved.plan", code=2, **environ)
    lab.prov("keys", "rotate")
    refused = lab.prov("apply", "--plan", "saved.plan", "--yes", code=1, **environ).stderr
    lab.prov("plan", "--out", "saved.plan", code=2, **environ)
    lab.prov("apply", "--plan", "saved.plan", "--yes", **environ)

    assert "this plan was sealed with another key" in refused
    assert "prov plan --out" in refused
    lab.assert_settled(1, 1)
