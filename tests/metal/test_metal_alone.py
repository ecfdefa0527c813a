"""`prov serve` on a computer of its own, with what the guide has brought there, and `prov apply` on another one.

Each is a network namespace with a cable to the bridge. The DHCP server of the first stands beside that of the site,
and whatever the host boots comes from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from beds.ipmi.peer import fru
from beds.ipmi.sim import PASSWORD, USER, Sim
from beds.metal import chassis
from beds.metal.alone import PATIENCE_S, Server, begun, brought, followed, identity
from beds.metal.computers import computer
from beds.metal.ground import GATEWAY, Ground, disk_of, given
from beds.metal.machines import Machine
from beds.metal.projects import ENVIRON, rack
from fakes.yard import Peer, Yard

from provisioner.state.identity import identity_to_open
from provisioner.state.sqlite_store import SqliteStore

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

SITE, DESK, BOOT, CARD = "10.77.0.3", "10.77.0.4", "10.77.0.5", "eth0"
SERVE = f"{BOOT}:8069"
STRANGER = "52-54-00-77-00-ff"


def test_a_host_is_served_by_another_computer_than_the_one_that_makes_it(
    ground: Ground, yard: Callable[..., Yard], peer: Peer, tmp_path: Path
) -> None:
    """Nothing begins before that serves; killed in the middle and started again, it goes on; then all is gone.

    The host boots its network card by an old BIOS, with iPXE in its ROM, and its disk by UEFI.
    """
    host = Machine("r51u1", 51, ground.folder, bios=True)
    switch = chassis.script(host, disk_of(host.name))
    dhcp = {"interface": CARD, "proxy": "10.77.0.0"}
    there = tmp_path / "boot"
    with (
        Sim(tmp_path / "ipmi", fru("prov", "bed", host.serial), script=switch, host=GATEWAY) as sim,
        computer("site", SITE) as site,
        computer("desk", DESK) as desk,
        computer("boot", BOOT) as boot,
    ):
        address = f"{sim.address}?mode=bios"
        row = {"bmc": address, "username": USER, "password": PASSWORD, "uuid": "", "trust": "network"}
        one = yard("desk", environ=ENVIRON, within=desk)
        one.write(rack(ground, peer, [host], {host.name: row}, serve=SERVE, serve_alone=True, dhcp=dhcp))
        with (
            ground.dhcp(site, CARD) as log,
            brought(one, there),
            Server(one, there, boot) as server,
            begun(one, "apply", "--yes") as run,
            followed(host.console) as console,
        ):
            run.expect(f"waits for `prov serve` at {SERVE}: nobody answers", patience_s=PATIENCE_S)
            assert "is off" in sim.tool("chassis", "power", "status")

            server.start()
            server.says('"what": "initramfs", "status": 200')
            console.expect("initramfs-amd64.xz... ok", patience_s=PATIENCE_S)
            server.kill()  # the kernel takes seconds until somebody asks for the configuration
            console.expect("config url http")  # and nobody is there
            server.start()
            console.expect("config from url http")
            told = json.loads(server.says('"what": "config"'))
            url = f"http://{SERVE}/{_token(one)}/{host.name}.yaml"
            stranger = _status(f"{url}?mac={STRANGER}")
            refused = json.loads(server.says('"status": 403'))
            assert (told["name"], told["status"], told["peer"]) == (host.name, 200, host.address)
            assert (stranger, refused["name"], refused["peer"]) == (403, host.name, GATEWAY)

            run.expect("healthy", patience_s=PATIENCE_S)
            server.says('"event": "Served"')
            assert _status(url) == 410
            assert server.stop() == 0
        assert not any(heard.saw(_token(one)) for heard in (run, *server.heard))
        assert given(log, host) == {host.address}
    said = [host.told(text) for text in ("SeaBIOS", "config from url http", "installed /dev/sda", "config from disk")]
    assert (said[0] > 0, said[1:]) == (True, [1, 1, 1])


def _token(one: Yard) -> str:
    """What stands in the URLs of the host, by the state and the identity."""
    opened = identity_to_open({"PROV_AGE_KEY_FILE": str(identity(one))})
    return SqliteStore(one.folder / ".prov" / "rack.db", "rack", opened).derive("metal boot r51u1 1")[:32]


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as err:
        return err.code
