"""How configurations travel: which channel, how much fits, and when gzip helps."""

from __future__ import annotations

import base64
import gzip

import pytest
from attrs import evolve

from provisioner.sdk.channels import CHANNELS, channel, too_large
from provisioner.talos.images.platforms import PLATFORMS


def test_every_platform_has_a_channel_and_no_other_has() -> None:
    assert {each.platform for each in CHANNELS} == set(PLATFORMS)
    names = [(each.platform, each.name) for each in CHANNELS]
    assert len(names) == len(set(names))
    assert all(each.source for each in CHANNELS if each.limit is not None)


@pytest.mark.parametrize(
    ("platform", "limit", "counted", "packed"),
    [
        ("aws", 16_384, "plain", True),
        ("azure", 65_536, "plain", True),
        ("gcp", 262_144, "plain", False),
        ("hcloud", 32_768, "plain", False),
        ("openstack", 65_535, "base64", True),
        ("nocloud", None, "plain", True),
        ("metal", None, "plain", True),
        ("vmware", None, "plain", True),
    ],
)
def test_the_usual_channel_of_a_platform(platform: str, limit: int | None, counted: str, packed: bool) -> None:
    found = channel(platform)
    assert (found.limit, found.counted, found.packed) == (limit, counted, packed)


def test_other_channels_go_by_their_names() -> None:
    assert channel("metal", "inline").limit == 4096
    assert [each.name for each in CHANNELS if each.platform == "metal"] == ["url", "metal-iso", "inline"]
    for platform, name in (("metal", "fax"), ("amiga", "")):
        with pytest.raises(KeyError):
            channel(platform, name)


def test_a_limit_holds_to_the_byte() -> None:
    aws = channel("aws")
    assert aws.fits(b"x" * 16_384)
    assert not aws.fits(b"x" * 16_385)
    openstack = channel("openstack")
    assert openstack.size(b"x" * 4) == len(base64.b64encode(b"x" * 4))
    assert openstack.fits(b"x" * 49_149)
    assert not openstack.fits(b"x" * 49_152)
    assert channel("nocloud").fits(b"x" * 10_000_000)


def test_gzip_is_used_only_where_it_is_needed_and_gets_through() -> None:
    """And gives the same bytes each time, for whoever compares them."""
    aws, text = channel("aws"), "line\n" * 10_000
    assert aws.best("line\n") == b"line\n"
    assert gzip.decompress(aws.best(text)) == text.encode()
    assert aws.best(text) == aws.best(text)
    assert evolve(aws, packed=False).best(text) == text.encode()


def test_a_problem_names_node_size_limit_and_channel() -> None:
    expected = "control-1 has 20000 bytes after gzip; user-data of the instance on aws takes 16384"
    assert expected == too_large("control-1", 20_000, channel("aws"))
    assert "bytes after gzip as base64; " in too_large("control-1", 70_000, channel("openstack"))
    assert "has 40000 bytes; " in too_large("control-1", 40_000, channel("hcloud"))
