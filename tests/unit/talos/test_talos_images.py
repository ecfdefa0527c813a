"""Which artifact and which installer a machine gets."""

from __future__ import annotations

import pytest
from attrs import evolve

from provisioner.model.topology import PUBLIC_FACTORY, STOCK_SCHEMATIC, TalosWish
from provisioner.sdk import Address, Call, EndpointWish, Machine, Node, ProvError, Ref, Topology, dig
from provisioner.talos.design import Boot, design
from provisioner.talos.images.artifacts import artifact_path, artifact_url
from provisioner.talos.images.installer import installer_image
from provisioner.talos.images.platforms import ARCHITECTURES, DISK_FORMS, PLATFORMS
from provisioner.talos.images.published import AWS_OWNER, aws_name, gcp_name, published_url
from provisioner.talos.images.schematic import Schematic

WISH = TalosWish("v1.13.9", "1.13", "v1.36.3")
CUSTOM = "c9078f9419961640c712a8bf2bb9174933dfcf1da383fd8ea2b7dc21493f8bac"
FACTORY = f"https://factory.talos.dev/image/{STOCK_SCHEMATIC}/v1.13.9"


def test_the_stock_schematic_is_that_of_no_customisation() -> None:
    assert Schematic().id == STOCK_SCHEMATIC
    assert WISH.stock
    assert not evolve(WISH, schematic=CUSTOM).stock
    assert not evolve(WISH, secure_boot=True).stock


@pytest.mark.parametrize(
    ("expected", "change", "platform"),
    [
        ("ghcr.io/siderolabs/installer:v1.13.9", {}, "metal"),
        ("ghcr.io/siderolabs/installer:v1.11.6", {"version": "v1.11.6"}, "metal"),
        ("ghcr.io/siderolabs/installer:v1.13.9", {"version": "1.13.9"}, "metal"),
        # from 1.14 there is no installer but the factory's
        (f"factory.talos.dev/metal-installer/{STOCK_SCHEMATIC}:v1.14.1", {"version": "v1.14.1"}, "metal"),
        (
            f"factory.talos.dev/metal-installer/{STOCK_SCHEMATIC}:v1.14.0-rc.1",
            {"version": "v1.14.0-rc.1"},
            "metal",
        ),
        # kernel arguments of the platform are baked in, so only metal has a common one
        (f"factory.talos.dev/nocloud-installer/{STOCK_SCHEMATIC}:v1.13.9", {}, "nocloud"),
        (f"factory.talos.dev/metal-installer/{CUSTOM}:v1.13.9", {"schematic": CUSTOM}, "metal"),
        (f"factory.talos.dev/aws-installer/{CUSTOM}:v1.13.9", {"schematic": CUSTOM}, "aws"),
        (
            f"factory.talos.dev/metal-installer-secureboot/{STOCK_SCHEMATIC}:v1.13.9",
            {"secure_boot": True},
            "metal",
        ),
        # a site with a factory of its own does not reach the public registry
        (
            f"factory.example.org:8443/metal-installer/{STOCK_SCHEMATIC}:v1.13.9",
            {"factory": "https://factory.example.org:8443"},
            "metal",
        ),
        (
            f"registry.example.org:5000/metal-installer/{STOCK_SCHEMATIC}:v1.13.9",
            {"registry": "registry.example.org:5000"},
            "metal",
        ),
        # a folder serves no installers, so they stay where they are
        (f"factory.talos.dev/metal-installer/{STOCK_SCHEMATIC}:v1.13.9", {"factory": "file:///srv/talos"}, "metal"),
    ],
)
def test_the_installer_follows_release_platform_and_customisation(
    expected: str, change: dict[str, object], platform: str
) -> None:
    assert expected == installer_image(evolve(WISH, **change), platform)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "platform", "arch", "form"),
    [
        ("metal-amd64.raw.zst", "metal", "amd64", ""),
        ("aws-arm64.raw.xz", "aws", "arm64", ""),
        ("gcp-amd64.raw.tar.gz", "gcp", "amd64", ""),
        ("vmware-amd64.ova", "vmware", "amd64", ""),
        ("azure-amd64.vhd.xz", "azure", "amd64", ""),
        ("oracle-amd64.qcow2", "oracle", "amd64", ""),
        ("openstack-amd64.qcow2", "openstack", "amd64", "qcow2"),
        ("nocloud-amd64.raw.xz", "nocloud", "amd64", "raw.xz"),
        ("metal-amd64.iso", "metal", "amd64", "iso"),
        ("equinixMetal-amd64.iso", "equinixMetal", "amd64", "iso"),
        ("metal-arm64-uki.efi", "metal", "arm64", "uki"),
        ("kernel-amd64", "metal", "amd64", "kernel"),
        ("initramfs-arm64.xz", "aws", "arm64", "initramfs"),
        ("cmdline-metal-amd64", "metal", "amd64", "cmdline"),
    ],
)
def test_an_artifact_is_called_as_the_factory_calls_it(expected: str, platform: str, arch: str, form: str) -> None:
    assert f"{FACTORY}/{expected}" == artifact_url(WISH, platform, arch, form)


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        ("metal-amd64-secureboot.iso", "iso"),
        ("metal-amd64-secureboot.raw.zst", ""),
        ("metal-amd64-secureboot-uki.efi", "uki"),
        ("cmdline-metal-amd64-secureboot", "cmdline"),
        ("kernel-amd64", "kernel"),
    ],
)
def test_signed_artifacts_have_names_of_their_own(expected: str, form: str) -> None:
    assert expected == artifact_path("metal", "amd64", form, secure_boot=True)


@pytest.mark.parametrize(
    ("platform", "arch", "form", "remedy"),
    [
        ("openstak", "amd64", "", "did you mean 'openstack'?"),
        ("aws", "x86_64", "", "use amd64 or arm64"),
        ("aws", "amd64", "raw.xy", "did you mean 'raw.xz'?"),
        ("vultr", "amd64", "", "ask for the form `iso`"),
    ],
)
def test_what_nobody_makes_is_refused(platform: str, arch: str, form: str, remedy: str) -> None:
    with pytest.raises(ProvError) as caught:
        artifact_path(platform, arch, form)
    assert caught.value.remedy.startswith(remedy)


def test_every_platform_has_a_form_the_factory_makes_or_none() -> None:
    assert {row.form for row in PLATFORMS.values()} - {""} < set(DISK_FORMS)
    assert {"equinixMetal", "vultr"} == {row.name for row in PLATFORMS.values() if not row.form}
    assert list(PLATFORMS) == sorted(PLATFORMS)
    assert ARCHITECTURES == ("amd64", "arm64")


NODE = Node(name="control-1", role="controlplane", pool="control", provider="lab")


def topology(talos: TalosWish) -> Topology:
    return Topology("demo", (NODE,), EndpointWish(), talos)


def test_providers_are_told_of_schematic_and_artifacts() -> None:
    boot = Boot(topology(evolve(WISH, schematic=CUSTOM, factory="https://factory.example.org")), "10.0.0.1")
    assert (boot.schematic, boot.stock, boot.version) == (CUSTOM, False, "v1.13.9")
    expected = f"https://factory.example.org/image/{CUSTOM}/v1.13.9/aws-amd64.raw.xz"
    assert expected == boot.artifact("aws", "amd64")
    assert Boot(topology(WISH), "10.0.0.1").stock
    assert WISH.factory == PUBLIC_FACTORY


def test_the_machine_s_platform_decides_its_installer() -> None:
    """In the configuration that is delivered and in the one the machine is born with."""
    address = Address("lab.machine", "control-1")
    machine = Machine(address, Ref(address, "host"), Ref(address, "id"), "api", "/dev/sda", platform="nocloud")
    wanted = topology(evolve(WISH, schematic=CUSTOM))
    resources, _ = design(wanted, {"control-1": machine}, "10.0.0.1", "talos")
    config = next(each for each in resources if each.address.kind == "talos.config")
    born_with = Boot(wanted, "10.0.0.1").config(NODE, machine)

    documents = config.props["documents"]
    expected = f"factory.talos.dev/nocloud-installer/{CUSTOM}:v1.13.9"
    assert isinstance(documents, tuple)
    assert expected == dig(documents[0], "machine.install.image")  # type: ignore[arg-type]
    assert Call("talos.encode", (documents,)) == born_with


def test_official_images_have_names_to_look_for() -> None:
    assert aws_name("v1.13.9", "us-east-1", "amd64") == "talos-v1.13.9-us-east-1-amd64"
    assert gcp_name("1.13.9", "arm64") == "talos-v1-13-9-arm64"
    assert AWS_OWNER == "540036508848"
    expected = "https://github.com/siderolabs/talos/releases/download/v1.13.9/cloud-images.json"
    assert expected == published_url("v1.13.9")
