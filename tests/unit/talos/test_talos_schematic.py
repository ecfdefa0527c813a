"""Schematic ids against the Image Factory's own test vectors, and what is left to the factory."""

from __future__ import annotations

import json

import pytest

from provisioner.model.topology import STOCK_SCHEMATIC
from provisioner.talos.images.canonical import NotPlain, canonical
from provisioner.talos.images.schematic import Overlay, Schematic, SchematicError, is_id


@pytest.mark.parametrize(
    ("expected", "schematic"),
    [
        ("376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba", Schematic()),
        (
            "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c",
            Schematic(kernel_args=("noapic", "nolapic")),
        ),
        ("d308a2a5ee2277bed5fbaa104fcbc8d59122abfa737df987a95b4ca763459a7f", Schematic(meta={10: "foo"})),
        ("fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6", Schematic(known_certificates=True)),
        ("92833e9ddd9bb9e11b2464fa5525429f01866306d52ebd882ee08d7918f6d1ea", Schematic(sector_size=4096)),
        (
            "ee21ef4a5ef808a9b7484cc0dda0f25075021691c8c09a276591eedb638ea1f9",
            Schematic(overlay=Overlay("rpi_generic", "siderolabs/sbc-raspberrypi")),
        ),
    ],
)
def test_ids_are_those_of_the_factory_s_own_vectors(expected: str, schematic: Schematic) -> None:
    assert expected == schematic.id


def test_the_order_in_which_extensions_are_named_does_not_matter() -> None:
    one = Schematic(extensions=("siderolabs/iscsi-tools", "siderolabs/gvisor"))
    other = Schematic(extensions=("siderolabs/gvisor", "siderolabs/iscsi-tools", "siderolabs/gvisor"))
    assert one.id == other.id
    assert one.id not in (Schematic(extensions=("siderolabs/gvisor",)).id, STOCK_SCHEMATIC)


def test_everything_at_once_in_the_factory_s_order() -> None:
    """Keys stand as the factory orders them, META by key, options of an overlay by name."""
    schematic = Schematic(
        extensions=("siderolabs/zfs", "siderolabs/gvisor"),
        kernel_args=("console=ttyS0,115200", "-console=tty0", "ip=[fd00::1]", "x=a: b", "y=a #b"),
        meta={12: '{"a": 1}', 10: "addresses:\n  - address: 10.0.0.2/24\n\n    layer: platform\n"},
        overlay=Overlay("rpi", "siderolabs/sbc", {"b": 1, "a": {"list": ["one", {"k": True, "l": ["x"]}]}}),
        bootloader="sd-boot",
        enroll_keys="force",
        known_certificates=True,
        sector_size=4096,
    )
    expected = """\
overlay:
    image: siderolabs/sbc
    name: rpi
    options:
        a:
            list:
                - one
                - k: true
                  l:
                    - x
        b: 1
customization:
    extraKernelArgs:
        - console=ttyS0,115200
        - -console=tty0
        - ip=[fd00::1]
        - 'x=a: b'
        - 'y=a #b'
    meta:
        - key: 10
          value: |
            addresses:
              - address: 10.0.0.2/24

                layer: platform
        - key: 12
          value: '{"a": 1}'
    systemExtensions:
        officialExtensions:
            - siderolabs/gvisor
            - siderolabs/zfs
    bootloader: sd-boot
    secureboot:
        enrollKeys: force
        includeWellKnownCertificates: true
    diskImage:
        sectorSize: 4096
"""
    assert expected == canonical(schematic.tree)
    assert json.loads(json.dumps(schematic.tree)) == json.loads(schematic.recipe)


@pytest.mark.parametrize(
    "text",
    [
        *("off", "Yes", "n", "~", "null", "TRUE", "", "1.5", "1e3", "-1_0", "+_1", "0x1f", "2026-11-24", "12:30"),
        *(".inf", "<<", "a\tb", "ü", "a\n b ", "\na", " a\nb", "a\n\n", "a\r\nb", "\x00", "a\n\tb"),
    ],
)
def test_what_releases_of_the_factory_quote_differently_is_left_to_it(text: str) -> None:
    """And everything outside printable ASCII."""
    with pytest.raises(SchematicError) as caught:
        _ = Schematic(kernel_args=(text,)).id
    assert "prov images register" in caught.value.remedy
    assert repr(text) in caught.value.detail


@pytest.mark.parametrize(
    "options", [{"key-1": "a"}, {"a": [["b"]]}, {"a": {}, "b": []}, {"a": [{}]}, {"ä": "b"}], ids=str
)
def test_options_beyond_the_ordinary_are_left_to_the_factory(options: dict[str, object]) -> None:
    with pytest.raises(SchematicError):
        _ = Schematic(overlay=Overlay("a", "b", options)).id  # type: ignore[arg-type]


def test_a_quote_is_doubled_where_the_text_is_quoted() -> None:
    assert canonical({"a": "it's", "b": "it's: b"}) == "a: it's\nb: 'it''s: b'\n"


def test_a_list_in_a_list_is_not_written() -> None:
    with pytest.raises(NotPlain):
        canonical({"a": ((1,),)})


@pytest.mark.parametrize(
    ("form", "text"), [(True, "0f" * 32), (False, "0F" * 32), (False, "0f" * 31), (False, "g" * 64)]
)
def test_the_form_of_an_id(form: bool, text: str) -> None:
    assert form is is_id(text)
