"""The endpoint as host or as URL."""

from __future__ import annotations

import pytest

from provisioner.model.address import Address
from provisioner.model.value import Call, Origin, Ref, Sourced
from provisioner.talos.config.endpoint import EndpointError, host, is_ipv6, url


@pytest.mark.parametrize(
    ("written", "expected_host", "expected_url"),
    [
        ("10.0.0.1", "10.0.0.1", "https://10.0.0.1:6443"),
        ("api.example.org", "api.example.org", "https://api.example.org:6443"),
        ("https://api.example.org", "api.example.org", "https://api.example.org"),
        ("https://api.example.org:443", "api.example.org", "https://api.example.org:443"),
        ("fd00::1", "fd00::1", "https://[fd00::1]:6443"),
        ("https://[fd00::1]:6443", "fd00::1", "https://[fd00::1]:6443"),
    ],
)
def test_a_text_gives_both(written: str, expected_host: str, expected_url: str) -> None:
    assert (expected_host, expected_url) == (host(written), url(written))


def test_a_reference_is_taken_for_a_host() -> None:
    ref = Ref(Address("sim.balancer", "api"), "host")
    assert (ref, Call("concat", ("https://", ref, ":6443"))) == (host(ref), url(ref))


def test_a_text_from_a_file_is_read_like_any_other() -> None:
    written = Sourced("https://api.example.org:443", Origin("cluster.yaml", 4))
    assert (host(written), url(written)) == ("api.example.org", "https://api.example.org:443")


@pytest.mark.parametrize(
    "written", ["", "http://a", "https://", "https://a:x", "a:6443", "https://a:70000", "a/b", "a b", "https://[x]:1"]
)
def test_anything_else_is_refused_with_a_way_out(written: str) -> None:
    for form in (host, url):
        with pytest.raises(EndpointError) as caught:
            form(written)
        assert "https://api.example.org:6443" in caught.value.remedy


def test_a_literal_ipv6_address_is_told_from_names() -> None:
    assert [is_ipv6(each) for each in ("fd00::1", "10.0.0.1", "api.example.org")] == [True, False, False]
