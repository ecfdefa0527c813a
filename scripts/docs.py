"""Writes the pages that come from the code.

    docs/reference/commands.md   from the help texts
    docs/reference/platforms.md  from the tables of images and channels
    docs/reference/rules.md      from the table of the conformance kit
    docs/reference/machine-settings.md   from the form that the settings have
    docs/reference/lint.md       from the rules of `prov validate`
    docs/reference/bmc-quirks.md from the table of the metal provider

`make docs` runs it; with `--check` it only compares and ends with 1 where a page is stale.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from prov_metal.bmc.table import QUIRKS

from provisioner.cluster.lint.catalogue import RULES
from provisioner.conformance.rules import ABILITY_RULES, KIND_RULES, PROVIDER_RULES, STORE_RULES, Rule
from provisioner.sdk.channels import CHANNELS, Channel
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS
from provisioner.talos.images.platforms import PLATFORMS
from provisioner.talos.settings.shape import Key, Leaf, Many, Named, Shape, Table
from provisioner.talos.versions import KNOWN

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PROV = Path(sys.executable).with_name("prov")

_HEAD = """\
# Commands

This page is made by `make docs` from the help texts; edit those.

Data goes to standard output, talk to standard error.
Colour is used on terminals only, and never when `NO_COLOR` is set.

## Exit codes

| code | meaning |
| --- | --- |
| 0 | done; for `plan`: there is nothing to do; for `status`: all is well |
| 1 | an error, a wrong option among them: nothing was changed, or the run could not go on |
|   | for `status`: something is not well |
| 2 | for `plan`: changes are pending |
| 3 | for `apply` and `destroy`: partly done; run the same command again to go on |

A process that is ended by a signal has the code its shell gives it, such as 137 after `kill -9`.

## Environment

| variable | meaning |
| --- | --- |
| `PROV_FILE` | the cluster file, instead of `--file` |
| `PROV_STATE` | the state file, instead of `--state` |
| `PROV_VAR_NAME` | the value of the variable `NAME`; `--var` goes before it |
| `PROV_AGE_KEY` | the age identity itself |
| `PROV_AGE_KEY_FILE`, `SOPS_AGE_KEY_FILE` | a file with the age identity, asked in this order |
| `PROV_CACHE` | the folder of downloads, instead of `~/.cache/prov` |
| `PROV_RELEASES` | where releases of Talos have their files, instead of GitHub |
| `PROV_SIM_DIR` | the folder of the simulator's socket, lock and log |
| `PROV_DEBUG` | if set, a fault inside prov shows its traceback |
| `NO_COLOR` | if set, nothing is coloured |
| `CI` | if set, no age identity is made without being asked for |
"""


_RULES_HEAD = """\
# Rules for providers and stores

This page is made by `make docs` from the table of the conformance kit; edit that.

Each rule has one or several tests in `provisioner.conformance`, which a provider or a store inherits.
[The guide](../guides/writing-a-provider.md) shows how.
A test is replaced or switched off with `@deviates(RULE, reason="…")` only.
Without a reason the suite fails, also where a mark, a fixture or a hook skips it.
"""

_SETTINGS_HEAD = """\
# Settings

This page is made by `make docs` from the form that the settings have; edit that.

What stands under `machine:` is given to all machines, to a pool or to a node; see
[the cluster file](cluster-file.md#settings-of-machines) for how these go over each other, and
[the guide](../guides/machine-settings.md) for what becomes of them.
What stands under `kubernetes:` is the cluster's.
`NAME` stands for a name of your own, `[]` for each item of a list.
Where a release is named, clusters that were born with another one cannot be told the setting.
"""
_PLATFORMS_HEAD = """\
# Platforms

This page is made by `make docs` from the tables in the code; edit those.

## Images

What the Image Factory makes for each platform, for `amd64` and `arm64`.
Other forms can be asked for, see [images](../guides/images.md#download-images).
The last partition grows to the size of the disk at the first boot.

"""
_CHANNELS_HEAD = """
## Delivery

How a configuration gets into a machine that is born with it, and how large it may be.
The first channel of a platform is the usual one.

Talos unpacks gzip from every platform, so where it gets through, it is used when the plain text does not fit.
A plan foresees the size of each configuration, within a few percent, before its secrets are made.
One that cannot fit is the problem `config-size`, which names the node, the size, the limit, and what to do.
Nothing limits what is delivered through the maintenance API.

A control plane takes about 11 KB, 7 KB after gzip, and a worker about 3 KB, before your patches.

"""

_LINT_HEAD = """\
# Warnings about a file

This page is made by `make docs` from the rules in `provisioner/cluster/lint`; edit those.

`prov validate` warns of what can be made and is hardly meant.
Warnings go to standard error and leave the exit code at 0; with `--strict` they are errors.
What Talos itself would refuse is an error in any case.
`--ignore RULE` leaves a rule out, for those who know better.
The rules see the configuration of every node as it would be for a new cluster, all patches merged.
"""

_QUIRKS_HEAD = """\
# Quirks of BMCs

This page is made by `make docs` from the table in `providers/metal/src/prov_metal/bmc/table.py`; edit that.

BMCs that speak Redfish differ from what it says, and from each other.
What prov needs of a BMC at all is in [a profile in DMTF's form](prov-bmc.v1_0_0.json).
DMTF's validator can try it on yours:

```sh
pip install redfish-interop-validator
rf_interop_validator --rhost https://BMC --username USER --password PASSWORD --authtype Basic prov-bmc.v1_0_0.json
```

Each row below is tried out before an emulator that is made to behave so.
For rows *by make* the driver has to know who made the BMC.
They set something in advance, and the same trial without the row must fail.
For the others it is ready everywhere.
SB is `storyboard.openstack.org/#!/story/N` and LP is `bugs.launchpad.net/ironic/+bug/N`.
Names with a slash are issues or files on GitHub.
"""

_GROUPS: tuple[tuple[str, str, tuple[Rule, ...]], ...] = (
    (
        "Providers",
        "`ProviderSuite`; P2 to P5 are for providers that make machines, P7 for stocks, and P8 for tables.",
        PROVIDER_RULES,
    ),
    ("Kinds", "`KindSuite`, for each sample of a kind with the four verbs.", KIND_RULES),
    ("Abilities", "`KindSuite` too, for kinds and providers that have the ability.", ABILITY_RULES),
    ("Stores", "`StoreSuite`.", STORE_RULES),
)


def main() -> int:
    """Writes or checks the pages; the exit code."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale: run make docs\n")
        return bool(stale)
    for path, text in pages().items():
        path.write_text(text)
    return 0


def pages() -> dict[Path, str]:
    """The text of each page."""
    return {
        REFERENCE / "commands.md": _commands(),
        REFERENCE / "machine-settings.md": _settings(),
        REFERENCE / "platforms.md": _platforms(),
        REFERENCE / "rules.md": _rules(),
        REFERENCE / "lint.md": _lint(),
        REFERENCE / "bmc-quirks.md": _quirks(),
    }


def _commands() -> str:
    sections = (f"\n## `{' '.join(('prov', *path))}`\n\n```text\n{text}```\n" for path, text in _helps(()))
    return _HEAD + "".join(sections)


def _platforms() -> str:
    return _PLATFORMS_HEAD + _image_table() + _CHANNELS_HEAD + _channel_table()


def _image_table() -> str:
    rows = "".join(
        f"| {row.name} | {f'`{row.form}`' if row.form else 'none: PXE or ISO'} | {row.size_mib or ''} |\n"
        for row in PLATFORMS.values()
    )
    return f"| platform | usual disk image | MiB once unpacked |\n| --- | --- | --- |\n{rows}"


def _channel_table() -> str:
    cells = (
        (row.platform, row.name, row.how, _limit(row), "yes" if row.packed else "no", row.source) for row in CHANNELS
    )
    rows = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    head = "| platform | channel | what carries it | limit in bytes | gzip | source of the limit |\n"
    return f"{head}| --- | --- | --- | --- | --- | --- |\n{rows}"


def _limit(row: Channel) -> str:
    if row.limit is None:
        return ""
    return f"{row.limit} of base64" if row.counted == "base64" else str(row.limit)


def _rules() -> str:
    return _RULES_HEAD + "".join(_group(title, about, rules) for title, about, rules in _GROUPS)


def _settings() -> str:
    met: dict[int, str] = {}
    return _SETTINGS_HEAD + "".join(
        f"\n## `{area.called}.{name}`\n\n{key.about[0].upper()}{key.about[1:]}.\n{_only(key)}"
        "\n| key | value | meaning |\n| --- | --- | --- |\n"
        + "".join(f"| `{path}` | {value} | {about} |\n" for path, value, about in _rows(key.shape, name, met))
        for area in (MACHINE_SETTINGS, KUBERNETES_SETTINGS)
        for name, key in area.table.keys.items()
    )


def _only(key: Key) -> str:
    return "It is for control planes; workers that get it with all nodes do without.\n" if key.leads else ""


def _rows(shape: Shape, path: str, met: dict[int, str]) -> Iterator[tuple[str, str, str]]:
    """Key, value and meaning of everything below a path; `met` has where keys with keys below were described."""
    match shape:
        case Leaf():
            yield path, shape.form.said, ""
        case Table():
            for name, key in shape.keys.items():
                yield from _key_rows(key, f"{path}.{name}", met)
        case Named():
            yield from _rows(shape.item, f"{path}.NAME", met)
        case Many(item=Leaf() as leaf):
            yield path, f"a list: {leaf.form.said}", ""
        case Many():
            yield from _rows(shape.item, f"{path}[]", met)


def _key_rows(key: Key, path: str, met: dict[int, str]) -> Iterator[tuple[str, str, str]]:
    about = "; ".join((key.about, *_demands(key)))
    match key.shape:
        case Leaf() | Many(item=Leaf()):
            yield from ((path, value, about) for _, value, _ in _rows(key.shape, path, met))
        case _ if id(key) in met:
            yield path, f"as `{met[id(key)]}`", about
        case _:
            met[id(key)] = path
            yield path, "a list of mappings" if isinstance(key.shape, Many) else "a mapping", about
            yield from _rows(key.shape, path, met)


def _demands(key: Key) -> Iterator[str]:
    if key.required:
        yield "required"
    if key.needs is not None:
        having = [contract for contract in KNOWN if key.needs(contract)]
        yield f"from {having[0]}" if having[-1] == KNOWN[-1] else f"up to {having[-1]}"


def _lint() -> str:
    rows = "".join(
        f"| [`{rule.code}`](#{rule.code}) | {'error' if rule.refused else 'warning'} | {rule.summary} |\n"
        for rule in RULES
    )
    reasons = "".join(f"\n## {rule.code}\n\n{_by_sentence(rule.reason)}\n" for rule in RULES)
    return f"{_LINT_HEAD}\n| rule | is | complains that |\n| --- | --- | --- |\n{rows}{reasons}"


def _by_sentence(text: str) -> str:
    """One sentence per line, as all pages have it."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(paragraph.replace(". ", ".\n") for paragraph in paragraphs)


def _quirks() -> str:
    heads = (("By make", False), ("Everywhere", True))
    return _QUIRKS_HEAD + "".join(
        f"\n## {title}\n\n| row | whose | what they do | what prov does | source |\n| --- | --- | --- | --- | --- |\n"
        + "".join(
            f"| `{row.name}` | {row.who} | {row.habit} | {row.answer} | {row.source} |\n"
            for row in QUIRKS
            if row.everywhere == everywhere
        )
        for title, everywhere in heads
    )


def _group(title: str, about: str, rules: tuple[Rule, ...]) -> str:
    rows = "".join(
        f"| {rule.id if first else ''} | {rule.title if first else ''} | {says} |\n"
        for rule in rules
        for first, says in ((number == 0, says) for number, says in enumerate(rule.tests.values()))
    )
    return f"\n## {title}\n\n{about}\n\n| rule | in short | what a test holds you to |\n| --- | --- | --- |\n{rows}"


def _helps(path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command's words and help text, parents before children, in the order the help lists them."""
    text = _help(path)
    yield path, text
    for name in _listed(text):
        yield from _helps((*path, name))


def _help(path: tuple[str, ...]) -> str:
    environ = {**os.environ, "TYPER_USE_RICH": "0", "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        [PROV, *path, "--help"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return done.stdout


def _listed(text: str) -> list[str]:
    """The names below `Commands:`."""
    _, _, below = text.partition("\nCommands:\n")
    return [line.split()[0] for line in below.splitlines() if line.startswith("  ") and line[2] != " "]


if __name__ == "__main__":
    sys.exit(main())
