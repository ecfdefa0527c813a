"""Expressions of CEL by which Talos finds disks, volumes and links.

Syntax, names and fields are looked at; types are left to the node. Source: siderolabs/talos v1.14, `cel/celenv`, and
`resource/definitions/block` and `network` of v1.11, which later ones only add to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from provisioner.sdk import did_you_mean
from provisioner.talos.settings.shape import Form, Leaf

MAX_LENGTH = 1000
"""Characters; the parser is recursive, and nobody reads longer ones."""

_UNITS = frozenset({f"{letter}{ending}" for letter in "KMGTPE" for ending in ("iB", "B")} - {"KB"} | {"kB"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FIELDS: Mapping[str, frozenset[str]] = {
    "disk": _words(
        """size io_size sector_size readonly model serial modalias wwid bus_path sub_system transport rotational
        cdrom dev_path pretty_size secondary_disks uuid symlinks firmware_version"""
    ),
    "volume": _words(
        """size sector_size io_size name uuid label block_size filesystem_block_size probed_size partition_uuid
        partition_type partition_label partition_index type device_path parent dev_path parent_dev_path pretty_size
        offset"""
    ),
    "link": _words(
        """index type link_index flags hardware_addr permanent_addr broadcast_addr mtu queue_disc master_index
        operational_state kind slave_kind bus_path pciid driver driver_version firmware_version product_id vendor_id
        product vendor link_state speed_megabits port duplex vlan bridge_master bond_master vrf_master wireguard veth
        alias alt_names"""
    ),
}
_LITERAL = re.compile(r"""[rR]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_FIELD = re.compile(r"\b(disk|volume|link)\.([A-Za-z_]\w*)")
_BINDS_NAMES = frozenset({"@not_strictly_false", "@result"})
"""Marks of `exists` and the like, which bring names of their own."""


def expression(*names: str) -> Leaf:
    """A leaf for an expression over `disk`, `volume`, `link` or `system_disk`."""
    return Leaf(
        Form(
            (str,),
            "a CEL expression",
            lambda text: not any(_wrong(str(text), names)),
            lambda text: next(_wrong(str(text), names), ""),
        )
    )


def _wrong(text: str, names: Sequence[str]) -> Iterator[str]:
    """What is wrong with it, each as something to do about it."""
    if len(text) > MAX_LENGTH:
        yield f"write at most {MAX_LENGTH} characters"
        return
    import cel  # heavy, and most files need none of it

    try:
        parsed = cel.compile(text)
    except ValueError:
        yield f"write it in CEL, as in {names[0]}.size > 100u * GB" if names[0] == "disk" else "write it in CEL"
        return
    used = frozenset(parsed.variables())
    if not used & frozenset(names):
        yield f"let it say something about {' or '.join(names)}"
    if not _BINDS_NAMES & frozenset(parsed.functions()):
        for name in sorted(used - frozenset(names) - _UNITS):
            yield f"there is no {name!r}; {did_you_mean(name, {*names, *_UNITS})}"
    for name, field in _FIELD.findall(_LITERAL.sub('""', text)):
        if field not in _FIELDS[name]:
            yield f"there is no {name}.{field}; {did_you_mean(field, _FIELDS[name])}"
