"""Where the values of a configuration come from, and what they took the place of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from provisioner.cluster.places import label, matching, unknown
from provisioner.cluster.stages import Staged
from provisioner.model.value import Call, Origin, Path, Ref, Sourced, Value, leaves, refs, strip_origins
from provisioner.talos.config.assemble import Documents
from provisioner.talos.config.operations import are_operations
from provisioner.talos.config.patch import Identity, identity_of
from provisioner.talos.config.reasons import reason


@frozen
class Setting:
    """A value, and where it comes from: `origin`, if somebody wrote it, else what `rule` says.

    `value` is a mapping or a list where a patch has put something else into the place of one.
    """

    value: Value
    origin: Origin | None = None
    rule: str = ""


@frozen
class Answer:
    """One leaf: what it is, and what it was before, latest first.

    Without `now` it has been taken away, and `gone` says where.
    """

    path: str
    nodes: tuple[str, ...]
    now: Setting | None
    before: tuple[Setting, ...] = ()
    gone: Origin | None = None


def why(path: str, nodes: Sequence[Staged], contract: str) -> tuple[Answer, ...]:
    """What is to be said of everything at and below the path; nodes for which it is the same are told together.

    `contract` is the one that values are generated for. Raises UnknownPath.
    """
    found: dict[str, list[Answer]] = {}
    for node in nodes:
        for answer in _answers(path, node, contract):
            _add(found.setdefault(answer.path, []), answer)
    if not found:
        raise unknown(path, {node.node.name: node.documents for node in nodes})
    return tuple(answer for answers in found.values() for answer in answers)


def _add(answers: list[Answer], answer: Answer) -> None:
    """Joins the answer to one that says the same of other nodes, or adds it."""
    for number, other in enumerate(answers):
        if evolve(other, nodes=answer.nodes) == answer:
            answers[number] = evolve(other, nodes=(*other.nodes, *answer.nodes))
            return
    answers.append(answer)


def _answers(text: str, node: Staged, contract: str) -> Iterator[Answer]:
    there = tuple(matching(text, node.documents))
    if there:
        yield from (_standing(identity, path, node, contract) for identity, path in there)
        return
    for number in range(len(node.merged) - 1, -1, -1):
        gone = tuple(matching(text, node.stages[number]))
        if gone:
            yield from (_gone(identity, path, node, number, contract) for identity, path in gone)
            return


def _standing(identity: Identity, path: Path, node: Staged, contract: str) -> Answer:
    now, *before = _history(identity, path, node, len(node.merged), contract)
    return Answer(label(identity, path), (node.node.name,), now, tuple(before))


def _gone(identity: Identity, path: Path, node: Staged, number: int, contract: str) -> Answer:
    """A leaf that the patch of this number has taken away."""
    before = _history(identity, path, node, number, contract)
    by = node.merged[number]
    origin = _directive(by, identity, path) or _first_origin(by)
    return Answer(label(identity, path), (node.node.name,), None, before, origin)


def _directive(patch: Documents, identity: Identity, path: Path) -> Origin | None:
    """Where a patch takes away what stands at the path: a `$patch: delete`, or an operation."""
    if are_operations(patch):
        ways = ["/" + "/".join(map(str, path[:depth])) for depth in range(1, len(path) + 1)]
        told = [item for item in patch if strip_origins(item["op"]) != "test" and strip_origins(item["path"]) in ways]
        return _first_origin(tuple(told[-1:]))
    value: Value = next((each for each in patch if identity_of(each) == identity), {})
    for key in (*path, ""):
        if isinstance(value, Mapping) and "$patch" in value:
            return _first_origin(value["$patch"])
        if isinstance(value, tuple):
            gone = (item["$patch"] for item in value if isinstance(item, Mapping) and "$patch" in item)
            return next((_first_origin(item) for item in gone), None)
        value = value.get(str(key)) if isinstance(value, Mapping) else None
    return None


def _history(identity: Identity, path: Path, node: Staged, last: int, contract: str) -> tuple[Setting, ...]:
    """The settings of a leaf of a stage, latest first; each differs from the one before it."""
    found: list[Setting] = []
    at: Path | None = path
    for number in range(last, -1, -1):
        document = _document(node.stages[number], identity)
        if at is None or not _has(document, at):
            break
        setting = _setting(_dig(document, at), identity, at, contract)
        before = _document(node.stages[number - 1], identity) if number else {}
        was = _dig(before, at) if _has(before, at) else None
        if number and setting.value in ({}, ()) and was != setting.value:
            setting = _emptied(setting, identity, at, node.merged[number - 1])
        if not found or found[-1] != setting:
            found.append(setting)
        at = _earlier(at, document, before)
    return tuple(found)


def _emptied(setting: Setting, identity: Identity, path: Path, patch: Documents) -> Setting:
    """What is empty has no leaf that could say where it comes from: the patch that left it so does."""
    document = {} if are_operations(patch) else _document(patch, identity)
    origin = _first_origin(_dig(document, path)) if _has(document, path) else None
    return Setting(setting.value, origin or _first_origin(patch))


def _setting(value: Value, identity: Identity, path: Path, contract: str) -> Setting:
    if isinstance(value, Sourced):
        return Setting(value.value, value.origin)
    if isinstance(value, Mapping | tuple) and value:
        return Setting(strip_origins(value), _first_origin(value), "" if _first_origin(value) else _made(contract))
    if isinstance(value, Ref):
        return Setting(value, rule=f"taken from {value.to}")
    if isinstance(value, Call):
        sources = ", ".join(dict.fromkeys(str(ref.to) for ref in refs(value)))
        return Setting(value, rule=f"made from {sources}")
    told = reason(identity.kind, path)
    return Setting(value, rule=f"{_made(contract)}{f', from {told}' if told else ''}")


def _made(contract: str) -> str:
    return f"generated by prov for contract {contract}"


def _earlier(path: Path, later: Value, earlier: Value) -> Path | None:
    """Where the leaf of the later tree stood in the earlier one: elements of lists may have moved."""
    found: list[str | int] = []
    for key in path:
        if isinstance(key, int):
            index = _same_element(key, later, earlier)
            if index is None:
                return None
            found.append(index)
            later = later[key] if isinstance(later, tuple) else None
            earlier = earlier[index] if isinstance(earlier, tuple) else None
        else:
            found.append(key)
            later, earlier = (tree.get(key) if isinstance(tree, Mapping) else None for tree in (later, earlier))
    return tuple(found)


def _same_element(index: int, later: Value, earlier: Value) -> int | None:
    """The number in the earlier list of an element of the later one.

    Elements are the same if they are equal, or if they are called the same: what a mapping begins with is its name.
    Where neither list has the other's element at this place, one has replaced the other.
    """
    if not isinstance(later, tuple) or not isinstance(earlier, tuple):
        return None
    wanted = later[index]
    for like in (_equal, _called_alike):
        near = sorted(range(len(earlier)), key=lambda number: abs(number - index))
        for number in near:
            if like(wanted, earlier[number]):
                return number
    if index < len(earlier) and not any(_equal(earlier[index], item) for item in later):
        return index
    return None


def _equal(one: Value, other: Value) -> bool:
    return strip_origins(one) == strip_origins(other)


def _called_alike(one: Value, other: Value) -> bool:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping) or not one:
        return False
    name = next(iter(one))
    return name in other and _equal(one[name], other[name])


def _document(documents: Documents, identity: Identity) -> Value:
    return next((each for each in documents if identity_of(each) == identity), {})


def _has(value: Value, path: Path) -> bool:
    for key in path:
        if isinstance(value, Mapping) and key in value:
            value = value[str(key)]
        elif isinstance(value, tuple) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return False
    return True


def _dig(value: Value, path: Path) -> Value:
    for key in path:
        if isinstance(value, Mapping):
            value = value[str(key)]
        elif isinstance(value, tuple) and isinstance(key, int):
            value = value[key]
    return value


def _first_origin(value: Value) -> Origin | None:
    return next((leaf.origin for _, leaf in leaves(value) if isinstance(leaf, Sourced)), None)
