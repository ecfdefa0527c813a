"""`prov metal`: what goes into an inventory, out of NetBox or out of the BMCs themselves."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import Facts
from prov_metal.bmc.drivers import driver
from prov_metal.netbox import imported, read_json
from provisioner.sdk import ProvError, Secret

app = typer.Typer(no_args_is_help=True, help="Inventories of racked servers.")


@app.command("import")
def import_(
    devices: Annotated[Path, typer.Argument(help="What /api/dcim/devices/?limit=0 of NetBox answers.")],
    interfaces: Annotated[
        Path | None, typer.Option(help="What /api/dcim/interfaces/?limit=0 answers, for MAC addresses.")
    ] = None,
    scheme: Annotated[str, typer.Option(help="What the BMCs speak: redfish, redfish+http or ipmi.")] = "redfish",
) -> None:
    """Write an inventory out of an export of NetBox."""
    found = imported(
        read_json(devices), read_json(interfaces) if interfaces is not None else [], scheme=_scheme(scheme)
    )
    for sentence in found.left_out:
        typer.echo(f"left out: {sentence}", err=True)
    sys.stdout.write(_yaml(dict(found.rows)))


@app.command()
def look(
    addresses: Annotated[list[str], typer.Argument(metavar="BMC...", help="Such as redfish://10.0.0.11.")],
    username: Annotated[str, typer.Option("--username", "-u", help="Of the BMCs.")] = "",
    ca: Annotated[str, typer.Option(help="A file of authorities that their certificates are checked against.")] = "",
    fingerprint: Annotated[str, typer.Option(help="SHA-256 of the certificate, for a single BMC.")] = "",
) -> None:
    """Write what BMCs say of their machines, as an inventory has it. The password comes from BMC_PASSWORD."""
    password = Secret(os.environ.get("BMC_PASSWORD", ""))
    for address in addresses:
        bmc = driver(Access(parse(address), username, password, ca=ca, fingerprint=fingerprint))
        sys.stdout.write(_yaml([row(address, bmc.facts())]))


def row(address: str, facts: Facts) -> dict[str, Any]:
    """What a BMC says of its machine, as fields of a row."""
    known = {
        "vendor": facts.vendor,
        "model": facts.model,
        "firmware": facts.firmware,
        "memory_gib": facts.memory_gib,
    }
    fields: dict[str, Any] = {
        "bmc": address,
        "uuid": facts.uuid,
        "serial": facts.serial,
        "facts": {name: value for name, value in known.items() if value},
    }
    return {name: value for name, value in fields.items() if value}


def _scheme(text: str) -> str:
    try:
        parse(f"{text}://host")
    except ProvError:
        raise typer.BadParameter(f"{text!r} is none of redfish, redfish+http and ipmi") from None
    return text


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
