"""Settings that no release of Talos changes: `machine:` for all nodes, a pool or a node, and `kubernetes:`.

What there can be, and of what form, is told by Talos's part (`talos.config.settings`). Here it is read with places,
origins and expressions: a leaf may be a reference or a secret, but what shapes the configuration (names, lists,
mappings) must be written out. Later layers go over earlier ones: all nodes, a pool, a node.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from provisioner.errors import Place
from provisioner.model.topology import Role
from provisioner.model.value import Call, Origin, Path, Ref, Secret, Sourced, Unknown, Value, is_known
from provisioner.model.value import has_secret as is_secret
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode
from provisioner.spec.expressions import has_expression
from provisioner.spec.fields import Fields, Reader, as_node
from provisioner.spec.findings import Findings
from provisioner.spec.schema import Settings
from provisioner.talos.config.settings import MACHINE_SETTINGS, Area
from provisioner.talos.settings.layers import over
from provisioner.talos.settings.shape import Form, Leaf, Many, Named, Shape, Table

_SPOKEN: Mapping[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@frozen
class SettingsReader:
    """Reads mappings of settings. `main` is the name of the cluster file, as origins show it."""

    reader: Reader
    main: str

    def read(self, node: Node | None, what: str, area: Area = MACHINE_SETTINGS) -> Settings:
        """One layer; what is wrong is noted and left out."""
        if node is None:
            return Settings()
        layer = _Layer(self.reader, self.main)
        values = layer.value(area.table, node, what, ())
        return Settings(values if isinstance(values, Mapping) else {}, layer.places)


def layered(under: Settings, layer: Settings) -> Settings:
    """A layer over others."""
    values = over(MACHINE_SETTINGS.table, under.values, layer.values)
    assert isinstance(values, Mapping)
    return Settings(values, {**under.places, **layer.places})


def common(settings: Settings, role: Role) -> Settings:
    """What nodes of a role get of the settings for all nodes."""
    return Settings(MACHINE_SETTINGS.for_role(settings.values, leads=role == "controlplane"), settings.places)


def check_role(layer: Settings, role: Role, findings: Findings) -> None:
    """Notes settings for control planes that a layer has for workers."""
    kept = MACHINE_SETTINGS.for_role(layer.values, leads=role == "controlplane")
    for key in layer.values:
        if key not in kept:
            findings.add(
                "setting-role",
                "this setting is for control planes",
                layer.place((key,)),
                detail=f"machine.{key} is given to workers",
                remedy="move it to a pool of control planes, or to the top of the file",
            )


def check_whole(settings: Settings, findings: Findings, area: Area = MACHINE_SETTINGS) -> None:
    """Notes what is missing, or does not go together, once all layers are merged."""
    for complaint in area.complaints(settings.values):
        findings.add(
            "setting",
            "a setting cannot be used",
            settings.place(complaint.path),
            detail=f"{area.called}{_named(complaint.path)}: {complaint.detail}",
            remedy=complaint.remedy,
        )


def _named(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


@frozen
class _Layer:
    """One layer while it is read."""

    reader: Reader
    main: str
    places: dict[Path, Place] = field(factory=dict, init=False)

    def value(self, shape: Shape, node: Node, what: str, path: Path) -> Value:
        """The value of this shape, short forms written out; None where it is wrong or empty."""
        self.places.setdefault(path, node.place)
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and has_expression(node.value):
            value = self.reader.free(node)
            if value is None:
                return None
            if not is_known(value) or is_secret(value):
                return self._open(shape, value, node.place, what)
            node = as_node(value, node.place)
        match shape:
            case Leaf():
                return self._leaf(shape, node, what)
            case Table():
                return self._table(shape, node, what, path)
            case Named():
                return self._named(shape, node, what, path)
            case Many():
                return self._many(shape, node, what, path)

    def _open(self, shape: Shape, value: Value, place: Place, what: str) -> Value:
        """A value that is secret, or not known before apply."""
        if isinstance(shape, Table) and shape.short:
            inner = self._open(shape.keys[shape.short].shape, value, place, what)
            return None if inner is None else {shape.short: inner}
        if not isinstance(shape, Leaf) or shape.fixed or not isinstance(value, Secret | Ref | Call | Unknown):
            self.reader.wrong_value(
                place,
                f"{what} decides what the configuration consists of, and is secret or known after apply",
                "write it out, or use ${var.NAME}",
            )
            return None
        if not isinstance(value, Secret):
            return value
        revealed = value.reveal()
        if revealed is None or type(revealed) not in shape.form.kinds or not shape.form.fits(revealed):
            self.reader.wrong_value(
                place,
                f"the secret given for {what} is not {shape.form.said}",
                "give another one, or use a variable if it need not be secret",
            )
            return None
        return Sourced(value, Origin(self.main, place.line))

    def _leaf(self, shape: Leaf, node: Node, what: str) -> Value:
        form = shape.form
        if isinstance(node, ScalarNode) and node.value is None:
            return None
        if not isinstance(node, ScalarNode) or node.value is None or type(node.value) not in form.kinds:
            self.reader.wrong_type(node, _SPOKEN[form.kinds[0]], what)
            return None
        if not form.fits(node.value):
            said = _quoted(form, node)
            self.reader.wrong_value(node.place, f"{what} {said}", form.remedy(node.value))
            return None
        return Sourced(form.becomes(node.value), Origin(self.main, node.place.line))

    def _table(self, shape: Table, node: Node, what: str, path: Path) -> Value:
        if isinstance(node, ScalarNode | ListNode) and shape.short and not _is_empty(node):
            value = self.value(shape.keys[shape.short].shape, node, what, (*path, shape.short))
            return None if value is None else {shape.short: value}
        fields = self.reader.table(node, what)
        if fields is None:
            return None
        found = {
            name: self._below(key.shape, inner, fields, name, (*path, name))
            for name, key in shape.keys.items()
            if (inner := self._asked(fields, name)) is not None
        }
        fields.finish(shape.keys)
        # The order of the file, which is that of the configuration.
        return {name: found[name] for name in fields.node.entries if found.get(name) is not None}

    def _asked(self, fields: Fields, name: str) -> Node | None:
        fields.take(name)
        return fields.node.entries.get(name)

    def _named(self, shape: Named, node: Node, what: str, path: Path) -> Value:
        fields = self.reader.table(node, what)
        if fields is None:
            return None
        found: dict[str, Value] = {}
        for name, inner in fields:
            if not shape.name.form.fits(name):
                self.reader.findings.add(
                    "name",
                    "a name cannot be used",
                    fields.key_place(name),
                    detail=f"{what} has {name!r}, which is not {shape.name.form.said}",
                    remedy=shape.name.form.remedy(name),
                )
                continue
            value = self._below(shape.item, inner, fields, name, (*path, name))
            if value is not None:
                found[str(shape.name.form.becomes(name))] = value
        return found

    def _below(self, shape: Shape, node: Node, fields: Fields, name: str, path: Path) -> Value:
        if isinstance(node, MapNode | ListNode) or _is_empty(node):
            self.places[path] = fields.key_place(name)
        return self.value(shape, node, fields.name(name), path)

    def _many(self, shape: Many, node: Node, what: str, path: Path) -> Value:
        if _is_empty(node):
            return ()
        if not isinstance(node, ListNode):
            self.reader.wrong_type(node, "a list", what)
            return None
        read = [self.value(shape.item, item, f"{what}[{at}]", (*path, at)) for at, item in enumerate(node.items)]
        return tuple(item for item in read if item is not None)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _quoted(form: Form, node: ScalarNode) -> str:
    shown = form.shown and len(node.text) <= 60
    return f"is {node.value!r}" if shown else f"is not {form.said}"
