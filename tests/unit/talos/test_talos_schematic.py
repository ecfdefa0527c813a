"""Schematic ids against the Image Factory's own test vectors."""

from __future__ import annotations

import pytest

from provisioner.talos.images.schematic import SchematicError, schematic_id, with_extensions


def test_the_empty_schematic_has_the_well_known_id() -> None:
    assert schematic_id({}) == "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"


def test_kernel_arguments_give_the_id_the_factory_gives() -> None:
    expected = "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c"
    assert expected == schematic_id({"extraKernelArgs": ["noapic", "nolapic"]})


def test_the_order_in_which_extensions_are_named_does_not_matter() -> None:
    one = with_extensions(["siderolabs/iscsi-tools", "siderolabs/gvisor"])
    other = with_extensions(["siderolabs/gvisor", "siderolabs/iscsi-tools", "siderolabs/gvisor"])
    assert schematic_id(one) == schematic_id(other)
    assert schematic_id(one) != schematic_id(with_extensions(["siderolabs/gvisor"]))


def test_no_extensions_are_the_empty_schematic() -> None:
    assert with_extensions([]) == {}


@pytest.mark.parametrize("name", ["siderolabs/a b", "a: b", "#x", "off", "", "siderolabs/ü", "1.5", "a\n"])
def test_texts_that_may_need_quoting_are_refused(name: str) -> None:
    with pytest.raises(SchematicError) as caught:
        schematic_id(with_extensions([name]))
    assert "siderolabs/iscsi-tools" in caught.value.remedy
