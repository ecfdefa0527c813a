"""Answers, held against the service models that come with botocore.

An answer is right if every element of it is a member of its shape, has a value that the shape allows, and no member
is missing that the model requires. Errors are right if the model knows their code, or the service's common errors do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree

import botocore.session
from beds.aws.bed import Record
from botocore.utils import parse_timestamp

_session = botocore.session.get_session()
COMMON: Final = {
    "AccessDenied",
    "InternalError",
    "InvalidParameterValue",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ValidationError",
}
"""What every service may answer and models leave out; EC2's model has no errors at all."""
_META: Final = {"requestId", "RequestId", "ResponseMetadata", "RequestID"}
_INTEGER: Final = re.compile(r"-?\d+")


def complaints(record: Record) -> list[str]:
    """What is wrong with the answer of a call."""
    model = _session.get_service_model(record.call.service)
    if record.status >= 400:
        return [*_error_complaints(record, model)]
    operation = model.operation_model(record.call.action)
    if not record.body or operation.output_shape is None:
        return []
    root = ElementTree.fromstring(record.body)
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    if wrapper:
        found = [child for child in root if _name(child) == wrapper]
        root = found[0] if found else root
    return [f"{record.call.name}: {text}" for text in _structure(operation.output_shape, root, "")]


def _error_complaints(record: Record, model: Any) -> Iterator[str]:
    root = ElementTree.fromstring(record.body)
    codes = [element.text for element in root.iter() if _name(element) == "Code"]
    known = {shape.error_code for shape in model.error_shapes} | {shape.name for shape in model.error_shapes} | COMMON
    if len(codes) != 1:
        yield f"{record.call.name}: an error with {len(codes)} codes"
    elif model.error_shapes and codes[0] not in known:
        yield f"{record.call.name}: the model has no error {codes[0]}"


def _structure(shape: Any, element: ElementTree.Element, path: str) -> Iterator[str]:
    members = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            wire = member.member.serialization.get("name", wire)
        members[wire] = (name, member)
    for child in element:
        name = _name(child)
        if name in _META and not path:
            continue
        if name not in members:
            yield f"{path}.{name} is no member of {shape.name}"
            continue
        yield from _value(members[name][1], child, f"{path}.{name}")
    present = {members[_name(child)][0] for child in element if _name(child) in members}
    for missing in sorted({*shape.required_members} - present):
        yield f"{path}.{missing} is missing"


def _value(shape: Any, element: ElementTree.Element, path: str) -> Iterator[str]:
    text = (element.text or "").strip()
    match shape.type_name:
        case "structure":
            yield from _structure(shape, element, path)
        case "list":
            items = [element] if shape.serialization.get("flattened") else element
            for number, item in enumerate(items):
                yield from _value(shape.member, item, f"{path}[{number}]")
        case "boolean" if text not in ("true", "false"):
            yield f"{path} is {text!r}, not a boolean"
        case "integer" | "long" if not _INTEGER.fullmatch(text):
            yield f"{path} is {text!r}, not a number"
        case "timestamp":
            try:
                parse_timestamp(text)
            except ValueError:
                yield f"{path} is {text!r}, not a time"
        case "string" if shape.enum and text and text not in shape.enum:
            yield f"{path} is {text!r}, which is none of its values"


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
