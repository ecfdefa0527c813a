"""`prov secrets`, and the certificates that `prov talosconfig` and `prov kubeconfig` give."""

from __future__ import annotations

import base64
import json
import random
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from attrs import define
from cryptography import x509

from provisioner.cli.main import main
from provisioner.model.value import reveal
from provisioner.state.identity import create_identity
from provisioner.talos.config.encode import encode
from provisioner.talos.handover import client_certificate
from provisioner.talos.pki.bundle import Bundle, generate, to_json_tree, to_tree
from provisioner.talos.pki.talosconfig import talosconfig
from provisioner.talos.versions import Contract

FILE = """\
version: 1
name: demo
talos: {version: v1.13.9}
endpoint: 127.0.0.1
providers: {sim: {}}
pools: {control: {role: controlplane, provider: sim, count: 1}}
"""


@define
class Desk:
    """The command in this process, in a folder with a cluster file and somebody's secrets."""

    folder: Path
    streams: pytest.CaptureFixture[str]
    said: str = ""

    def prov(self, *args: str, code: int = 0, identity: bool = True) -> str:
        """Runs `prov …`, which must end with `code`, and returns what it prints."""
        self.streams.readouterr()
        with pytest.MonkeyPatch.context() as world:
            world.setenv("PROV_AGE_KEY_FILE", str(self.folder / "age.key") if identity else "")
            world.setenv("HOME", str(self.folder))
            world.setenv("CI", "1")
            world.chdir(self.folder)
            world.setattr(sys, "argv", ["prov", *args])
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.streams.readouterr()
        assert (ended.value.code or 0) == code, said.err
        self.said = said.err
        return said.out


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return generate(Contract(1, 13), now=datetime.now(UTC), random=random.Random(5).randbytes)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], bundle: Bundle) -> Desk:
    create_identity(tmp_path / "age.key")
    (tmp_path / "cluster.yaml").write_text(FILE)
    (tmp_path / "secrets.yaml").write_text(encode([reveal(to_tree(bundle))]))
    return Desk(tmp_path, capsys)


def test_what_is_imported_is_exported_again(desk: Desk, bundle: Bundle) -> None:
    """As YAML and as JSON, to a file that only its owner may read."""
    desk.prov("secrets", "import", "secrets.yaml")
    assert "born with the secrets of secrets.yaml" in desk.said

    assert (desk.folder / "secrets.yaml").read_text() == desk.prov("secrets", "export", "--show")
    assert reveal(to_json_tree(bundle)) == json.loads(desk.prov("secrets", "export", "--show", "--json"))
    assert desk.prov("secrets", "export", "--out", "copy.yaml") == ""
    assert (desk.folder / "copy.yaml").read_text() == (desk.folder / "secrets.yaml").read_text()
    assert stat.S_IMODE((desk.folder / "copy.yaml").stat().st_mode) == 0o600


def test_secrets_are_never_printed_by_accident(desk: Desk, bundle: Bundle) -> None:
    desk.prov("secrets", "import", "secrets.yaml")

    assert desk.prov("secrets", "export", code=1) == ""
    assert "--show" in desk.said
    shown = desk.prov("secrets", "show") + desk.prov("state", "show", "talos.secrets/cluster") + desk.said
    for secret in (bundle.trustd_token, bundle.cluster_secret, base64.b64encode(bundle.os.key.encode()).decode()):
        assert secret not in shown


def test_imported_secrets_are_sealed_in_the_state(desk: Desk, bundle: Bundle) -> None:
    desk.prov("secrets", "import", "secrets.yaml")
    state = (desk.folder / ".prov/demo.db").read_bytes()
    assert bundle.trustd_token.encode() not in state
    desk.prov("secrets", "export", "--show", code=1, identity=False)
    assert "age identity" in desk.said


def test_a_second_import_is_refused(desk: Desk) -> None:
    """What stands trusts the first ones."""
    desk.prov("secrets", "import", "secrets.yaml")
    desk.prov("secrets", "import", "secrets.yaml", code=1)
    assert "the cluster has secrets already" in desk.said


def test_a_plan_after_the_import_makes_no_secrets(desk: Desk) -> None:
    desk.prov("secrets", "import", "secrets.yaml")
    plan = json.loads(desk.prov("plan", "--json", code=2))
    steps = {step["address"]: step["verb"] for step in plan["steps"]}
    assert steps["talos.config/control-1"] == "create"
    assert steps.get("talos.secrets/cluster", "keep") == "keep"


def test_what_is_wrong_in_a_file_has_its_line(desk: Desk, bundle: Bundle) -> None:
    """And leaves no secrets on record."""
    text = (desk.folder / "secrets.yaml").read_text()
    (desk.folder / "bad.yaml").write_text(text.replace(bundle.trustd_token, "planted"))
    line = 1 + text.splitlines().index(f"  token: {bundle.trustd_token}")

    desk.prov("secrets", "import", "bad.yaml", code=1)

    assert f"at bad.yaml:{line}:10" in desk.said
    assert "trustdinfo.token: a token has" in desk.said
    assert "planted" not in desk.said
    desk.prov("secrets", "import", "secrets.yaml")


@pytest.mark.parametrize("name", ["missing.yaml", "binary"])
def test_a_file_that_cannot_be_read(desk: Desk, name: str) -> None:
    (desk.folder / "binary").write_bytes(b"\xff\xfe")
    desk.prov("secrets", "import", name, code=1)
    assert "the file cannot be read" in desk.said


def test_a_file_without_a_cluster_has_no_secrets(desk: Desk) -> None:
    (desk.folder / "cluster.yaml").write_text(
        "version: 1\nname: demo\nresources: {x: {kind: core.value, props: {value: {a: 1}}}}\n"
    )
    desk.prov("secrets", "import", "secrets.yaml", code=1)
    assert "describes no cluster" in desk.said


def test_before_anything_is_applied_there_is_nothing_to_show(desk: Desk) -> None:
    for words in (("show",), ("export", "--show")):
        desk.prov("secrets", *words, code=1)
        assert "the cluster has no secrets yet" in desk.said


def test_show_tells_of_authorities_without_an_identity(desk: Desk, bundle: Bundle) -> None:
    desk.prov("secrets", "import", "secrets.yaml")
    lines = desk.prov("secrets", "show", identity=False).splitlines()
    certificate = x509.load_pem_x509_certificate(bundle.os.crt.encode())

    assert lines[0].split() == ["AUTHORITY", "OF", "THE", "UNTIL", "SHA-256"]
    assert [line.split()[0] for line in lines[1:]] == ["os", "k8s", "k8saggregator", "etcd"]
    assert lines[1].split()[-2] == certificate.not_valid_after_utc.date().isoformat()
    shown = json.loads(desk.prov("secrets", "show", "--json"))
    assert shown[0]["until"] == certificate.not_valid_after_utc.isoformat()
    assert [each["vouches_for"] for each in shown][:2] == ["Talos API", "Kubernetes API"]


def test_a_talosconfig_has_the_roles_and_the_time_one_asks_for(desk: Desk) -> None:
    desk.prov("secrets", "import", "secrets.yaml")
    asked = ("talosconfig", "--role", "os:reader", "--role", "os:etcd:backup", "--ttl", "12h")
    context = yaml.safe_load(desk.prov(*asked))["contexts"]["demo"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(context["crt"]))

    assert {each.value for each in certificate.subject} == {"os:etcd:backup", "os:reader"}
    lived = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lived == timedelta(hours=12, seconds=10)

    desk.prov("talosconfig", "--role", "os:raeder", code=1)
    assert "did you mean 'os:reader'?" in desk.said
    desk.prov("talosconfig", "--ttl", "soon", code=1)
    assert "12h30m" in desk.said


def test_a_kubeconfig_has_the_time_one_asks_for(desk: Desk) -> None:
    desk.prov("secrets", "import", "secrets.yaml")
    user = yaml.safe_load(desk.prov("kubeconfig", "--ttl", "1h"))["users"][0]["user"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    lived = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lived == timedelta(hours=1, seconds=10)


def test_an_authority_near_its_end_is_told_of(desk: Desk) -> None:
    """A year before, by plans; and certificates never outlive it."""
    born = datetime.now(UTC) - timedelta(hours=87600) + timedelta(days=200)
    old = generate(Contract(1, 13), now=born, random=random.Random(6).randbytes)
    (desk.folder / "old.yaml").write_text(encode([reveal(to_tree(old))]))
    desk.prov("secrets", "import", "old.yaml")

    desk.prov("plan", code=2)
    end = x509.load_pem_x509_certificate(old.os.crt.encode()).not_valid_after_utc
    assert f"the authority of the Talos API ends on {end.date().isoformat()}" in desk.said

    context = yaml.safe_load(desk.prov("talosconfig"))["contexts"]["demo"]
    assert end == x509.load_pem_x509_certificate(base64.b64decode(context["crt"])).not_valid_after_utc


@pytest.mark.parametrize(("age", "renewed"), [(timedelta(days=182), False), (timedelta(days=184), True)])
def test_files_are_renewed_before_anybody_is_locked_out(
    desk: Desk, bundle: Bundle, age: timedelta, renewed: bool
) -> None:
    """A look at the cluster makes them anew, once their certificate has lived half its life."""
    desk.prov("secrets", "import", "secrets.yaml")
    file = desk.folder / ".prov/demo.talosconfig"
    old = talosconfig(bundle, cluster="demo", endpoints=["127.0.0.1"], nodes=[], now=datetime.now(UTC) - age)
    file.write_text(old)

    desk.prov("status", code=1)

    assert (file.read_text() != old) is renewed
    assert ("has a fresh certificate" in desk.said) is renewed
    if renewed:
        ends = x509.load_pem_x509_certificate(client_certificate(file.read_text()).encode()).not_valid_after_utc
        assert ends > datetime.now(UTC) + timedelta(days=364)
    assert not (desk.folder / ".prov/demo.kubeconfig").exists()


@pytest.mark.parametrize("text", ["", "crt: ", "crt: planted", "    crt: AAAAA\n", "client-certificate-data: /w==\n"])
def test_a_file_without_a_certificate_has_none(text: str) -> None:
    assert client_certificate(text) == ""
