"""A server's BMC, as Redfish shows it: what sushy-tools' emulator shows of a machine, and a log of events besides.

One request in, one answer out; nothing here listens. `tests/beds/rack/test_rack_bmc.py` holds it to the emulator.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from attrs import define
from beds.bmc.exchange import Answer, Asked, refusal
from beds.rack.server import Option, Server

ROOT = "/redfish/v1"
_TARGETS: Mapping[str, Option | None] = {
    "Cd": "cd",
    "Hdd": "disk",
    "Pxe": "network",
    "UefiHttp": "http",
    "None": None,
}
_FORMS: Mapping[str, str] = {"cd": "Cd", "disk": "Hdd", "network": "Pxe", "http": "UefiHttp"}


@define
class Redfish:
    """Answers for one server. `user` and `password` are those that everybody knows.

    writes  what changed something, as (method, last part of the path, body)
    """

    server: Server
    user: str
    password: str
    epoch: Callable[[float], datetime]
    writes: list[tuple[str, str, Any]]
    new_password: str = ""
    """Another one that it takes besides."""

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request, with its effect."""
        path = urlsplit(asked.path).path.rstrip("/")
        self.server.catch_up()
        if path == ROOT:
            return Answer(200, self._root())
        refused = self._refused(asked)
        if refused is not None:
            return refused
        if asked.method != "GET":
            self.writes.append((asked.method, path.rpartition("/")[2], asked.body))
            return self._change(asked.method, path, asked.body or {})
        body = self._documents().get(path)
        return Answer(200, body()) if body is not None else refusal(404, f"{path} is not there")

    def _refused(self, asked: Asked) -> Answer | None:
        trouble = self.server.trouble
        if trouble.sessions_full:
            info = {
                "MessageId": "IDRAC.2.4.RAC0218",
                "Message": "The maximum number of user sessions is reached.",
                "Resolution": "Close existing sessions, or wait until they expire, and retry the operation.",
            }
            code = "Base.1.8.GeneralError"
            return Answer(503, {"error": {"code": code, "@Message.ExtendedInfo": [info]}})
        secret = trouble.password or self.password
        known = [_basic(self.user, text) for text in (secret, self.new_password) if text]
        if asked.headers.get("Authorization") not in [f"Basic {text}" for text in known]:
            return refusal(401, "the credentials are not valid")
        return None

    # what there is

    def _documents(self) -> Mapping[str, Callable[[], Mapping[str, Any]]]:
        uuid = self.server.plate.uuid
        system, manager = f"{ROOT}/Systems/{uuid}", f"{ROOT}/Managers/{uuid}"
        nic = f"{system}/EthernetInterfaces/{self.server.plate.mac}"
        media, log = f"{manager}/VirtualMedia", f"{manager}/LogServices/Sel"
        return {
            f"{ROOT}/Systems": lambda: _collection(f"{ROOT}/Systems", system),
            f"{ROOT}/Managers": lambda: _collection(f"{ROOT}/Managers", manager),
            system: self._system,
            manager: self._manager,
            media: lambda: _collection(media, f"{media}/Cd"),
            f"{media}/Cd": self._slot,
            **({f"{ROOT}/Chassis/{uuid}": self._chassis} if self.server.trouble.chassis else {}),
            f"{system}/VirtualMedia": lambda: _collection(f"{system}/VirtualMedia", f"{media}/Cd"),
            f"{system}/EthernetInterfaces": lambda: _collection(f"{system}/EthernetInterfaces", nic),
            nic: lambda: {"@odata.id": nic, "Id": self.server.plate.mac, "MACAddress": self.server.plate.mac},
            f"{system}/SecureBoot": lambda: {
                "@odata.id": f"{system}/SecureBoot",
                "SecureBootEnable": self.server.trouble.secure_boot,
                "SecureBootCurrentBoot": "Enabled" if self.server.trouble.secure_boot else "Disabled",
            },
            f"{manager}/LogServices": lambda: _collection(f"{manager}/LogServices", log),
            log: lambda: {"@odata.id": log, "Id": "Sel", "Entries": {"@odata.id": f"{log}/Entries"}},
            f"{log}/Entries": lambda: self._entries(f"{log}/Entries"),
        }

    def _root(self) -> Mapping[str, Any]:
        return {
            "@odata.id": f"{ROOT}/",
            "Id": "RootService",
            "RedfishVersion": "1.0.2",
            "Systems": {"@odata.id": f"{ROOT}/Systems"},
            "Managers": {"@odata.id": f"{ROOT}/Managers"},
        }

    def _system(self) -> Mapping[str, Any]:
        server, path = self.server, f"{ROOT}/Systems/{self.server.plate.uuid}"
        boot: dict[str, Any] = {
            "BootSourceOverrideEnabled": "Disabled",
            "BootSourceOverrideTarget": "None",
            "BootSourceOverrideMode": "UEFI",
            "BootSourceOverrideTarget@Redfish.AllowableValues": [*_TARGETS],
        }
        if server.override is not None:
            boot["BootSourceOverrideEnabled"] = "Continuous" if server.continuous else "Once"
            boot["BootSourceOverrideTarget"] = _FORMS[server.override]
        if server.override_url:
            boot["HttpBootUri"] = server.override_url
        reset = {
            "target": f"{path}/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "ForceOn"],
        }
        return {
            "@odata.id": path,
            "Id": server.plate.uuid,
            "Name": server.plate.name,
            "Manufacturer": "Acme",
            "Model": "R1",
            "SerialNumber": server.plate.serial,
            "UUID": server.plate.uuid,
            "PowerState": "On" if server.shows_on else "Off",
            "Boot": boot,
            "VirtualMedia": {"@odata.id": f"{path}/VirtualMedia"},
            "EthernetInterfaces": {"@odata.id": f"{path}/EthernetInterfaces"},
            "SecureBoot": {"@odata.id": f"{path}/SecureBoot"},
            "Links": {
                "ManagedBy": [{"@odata.id": f"{ROOT}/Managers/{server.plate.uuid}"}],
                "Chassis": [{"@odata.id": f"{ROOT}/Chassis/{server.plate.uuid}"}] if server.trouble.chassis else [],
            },
            "Actions": {"#ComputerSystem.Reset": reset},
        }

    def _chassis(self) -> Mapping[str, Any]:
        on = self.server.power or self.server.trouble.chassis == "on"
        path = f"{ROOT}/Chassis/{self.server.plate.uuid}"
        return {"@odata.id": path, "Id": "1", "PowerState": "On" if on else "Off"}

    def _manager(self) -> Mapping[str, Any]:
        uuid = self.server.plate.uuid
        path = f"{ROOT}/Managers/{uuid}"
        return {
            "@odata.id": path,
            "Id": uuid,
            "DateTime": self.epoch(self.server.clock()).isoformat(timespec="seconds"),
            "VirtualMedia": {"@odata.id": f"{path}/VirtualMedia"},
            "LogServices": {"@odata.id": f"{path}/LogServices"},
            "Links": {"ManagerForServers": [{"@odata.id": f"{ROOT}/Systems/{uuid}"}]},
        }

    def _slot(self) -> Mapping[str, Any]:
        path = f"{ROOT}/Managers/{self.server.plate.uuid}/VirtualMedia/Cd"
        actions = {
            f"#VirtualMedia.{name}": {"target": f"{path}/Actions/VirtualMedia.{name}"}
            for name in ("InsertMedia", "EjectMedia")
        }
        return {
            "@odata.id": path,
            "Id": "Cd",
            "MediaTypes": ["CD", "DVD"],
            "Inserted": self.server.shows_inserted,
            "Image": self.server.inserted or "",
            "ConnectedVia": "URI" if self.server.shows_inserted else "NotConnected",
            "WriteProtected": True,
            "Actions": actions,
        }

    def _entries(self, path: str) -> Mapping[str, Any]:
        members = [
            {
                "@odata.id": f"{path}/{number}",
                "Id": str(number),
                "Created": self.epoch(entry.at).isoformat(timespec="seconds"),
                "Severity": entry.severity,
                "Message": entry.text,
            }
            for number, entry in enumerate(self.server.log, 1)
        ]
        return {"@odata.id": path, "Members": members, "Members@odata.count": len(members)}

    # what changes

    def _change(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        action = path.rpartition("/")[2]
        match method, action:
            case "POST", "ComputerSystem.Reset":
                return self._reset(str(body.get("ResetType")))
            case "POST", "VirtualMedia.InsertMedia":
                return self._insert(str(body.get("Image") or ""))
            case "POST", "VirtualMedia.EjectMedia":
                self.server.eject()
                return Answer(204)
            case "PATCH", self.server.plate.uuid:
                return self._boot(body.get("Boot") or {})
        return refusal(405, "not here")

    def _reset(self, kind: str) -> Answer:
        match kind:
            case "On" | "ForceOn":
                self.server.press(on=True)
            case "ForceOff":
                self.server.press(on=False)
            case "ForceRestart":
                self.server.press(on=False)
                self.server.press(on=True)
        return Answer(204)

    def _insert(self, url: str) -> Answer:
        if self.server.trouble.insert_says is not None:
            return _said(*self.server.trouble.insert_says)
        try:
            self.server.insert(url)
        except OSError as err:
            return refusal(500, f"the image cannot be fetched: {err}")
        return Answer(204)

    def _boot(self, boot: Mapping[str, Any]) -> Answer:
        server = self.server
        if server.trouble.boot_says is not None:
            return _said(*server.trouble.boot_says)
        if boot.get("BootSourceOverrideEnabled") == "Disabled":
            server.override = None
            return Answer(204)
        target = boot.get("BootSourceOverrideTarget")
        if target not in _TARGETS:
            return refusal(400, f"{target} is not a boot source")
        server.override = _TARGETS[target]
        server.continuous = boot.get("BootSourceOverrideEnabled") == "Continuous"
        server.override_url = str(boot.get("HttpBootUri") or "")
        return Answer(204)


def _said(status: int, message_id: str, message: str) -> Answer:
    info = {"MessageId": message_id, "Message": message}
    return Answer(status, {"error": {"code": message_id, "@Message.ExtendedInfo": [info]}})


def _collection(path: str, *members: str) -> Mapping[str, Any]:
    return {
        "@odata.id": path,
        "Members": [{"@odata.id": member} for member in members],
        "Members@odata.count": len(members),
    }


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def epoch_of(start: datetime) -> Callable[[float], datetime]:
    """The rack's seconds as a time of day, in UTC."""
    zero = start.astimezone(UTC).timestamp()
    return lambda seconds: datetime.fromtimestamp(zero + seconds, UTC)
