"""Which permissions the code takes, and which the policy gives."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from prov_aws.errors import action

ROOT = Path(__file__).parents[2] / "providers" / "aws"
POLICY = ROOT / "policy.json"
BESIDES = frozenset({"iam:PassRole", "iam:CreateServiceLinkedRole", "sts:AssumeRole"})
"""What AWS wants besides the calls: to hand an instance profile to a machine, for the first balancer and spot machine
of an account, and to act as another role."""
_S3 = {"s3:ListBuckets": "s3:ListAllMyBuckets", "s3:DeleteObjects": "s3:DeleteObjectVersion"}
"""Permissions of S3 that are not called like the operations."""


@functools.cache
def given() -> frozenset[str]:
    """What the policy gives."""
    statements = json.loads(POLICY.read_text())["Statement"]
    return frozenset(one for statement in statements for one in statement["Action"])


def needed() -> frozenset[str]:
    """What the code calls, read off its text."""
    return frozenset(permission(service, operation) for service, operation in _calls())


def permission(service: str, operation: str) -> str:
    """The permission for an operation, such as `RunInstances`."""
    name = action(service, operation)
    name = name.replace("VersioningConfiguration", "Versioning")
    return _S3.get(name, name)


def _calls() -> Iterator[tuple[str, str]]:
    names: dict[str, Mapping[str, str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        own = "route53" if path.name == "dns_record.py" else "elbv2"  # what SERVICE stands for
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree) if path.name != "client.py" else ():
            for service, operation in _called(node, own, tree):
                if service not in names:
                    names[service] = _operations(service)
                yield service, names[service][operation]


def _called(node: ast.AST, own: str, module: ast.AST) -> Iterator[tuple[str, str]]:
    """`….call("ec2", "create_vpc", …)`, `….pages(…)` and the listings of families."""
    match node:
        case ast.Call(func=ast.Attribute(attr="call" | "pages"), args=[first, second, *_]):
            service = _service(first, own)
            yield from ((service, operation) for operation in _texts(second, service, module))
        case ast.Call(func=ast.Name(id="Family"), args=[_, _, ast.Constant(value=str(operation)), *_]) if operation:
            yield "ec2", operation


def _texts(node: ast.expr, service: str, module: ast.AST) -> Iterator[str]:
    """The operation of a call; where it is chosen, all that the module has the names of."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name() | ast.Subscript():
            told = (one.value for one in ast.walk(module) if isinstance(one, ast.Constant))
            yield from (text for text in told if isinstance(text, str) and text in _operations(service))


def _service(node: ast.expr, own: str) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case _:
            return own


@functools.cache
def _operations(service: str) -> Mapping[str, str]:
    """The operations of a service by the names of their methods."""
    model: Any = _session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@functools.cache
def _session() -> Any:
    return botocore.session.Session()
