"""The policy that the docs hand out gives what the code takes, and no more."""

from __future__ import annotations

import json

from fakes.aws_permissions import BESIDES, POLICY, given, needed


def test_the_policy_gives_what_is_called_and_no_more() -> None:
    """Every call of the code is allowed; every allowed action is called, but for what AWS wants besides."""
    assert given() - BESIDES == needed()
    assert given() >= BESIDES


def test_the_policy_fits_into_a_managed_one() -> None:
    """IAM takes 6144 characters, white space not counted."""
    assert len(json.dumps(json.loads(POLICY.read_text()), separators=(",", ":"))) <= 6144


def test_what_removes_is_bound_to_our_mark() -> None:
    """Machines, networks and disks that bear no mark of ours cannot be removed with it."""
    statements = json.loads(POLICY.read_text())["Statement"]
    free = {action for one in statements if "Condition" not in one for action in one["Action"]}

    assert {"ec2:TerminateInstances", "ec2:DeleteVpc", "elasticloadbalancing:DeleteLoadBalancer"} & free == set()
