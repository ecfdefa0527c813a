"""The encryption of a volume.

Source: siderolabs/talos v1.14, `types/block/encryption.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value, strip_origins
from provisioner.talos.settings.forms import FLAG, SWITCH, TEXT, fixed, one_of, url, whole
from provisioner.talos.settings.section import Complaint, Settings, items, plain, present, renamed, rows, table
from provisioner.talos.settings.shape import Key, Many, Table

_METHODS = ("node_id", "tpm", "passphrase", "kms")

_TPM = Table(
    {
        "check_secure_boot": Key(FLAG, "whether the key is made under Secure Boot only"),
        "pcrs": Key(
            Many(whole(0, 23)), "the registers it is bound to", needs=lambda contract: contract.tpm_registers
        ),
    }
)
_KEY = Table(
    {
        "slot": Key(fixed(whole(0, 31)), "its slot; its place in the list unless it says otherwise"),
        "node_id": Key(SWITCH, "made from the machine's identity: against disks that leave the machine, no more"),
        "tpm": Key(_TPM, "kept by the machine's TPM; `{}` is enough"),
        "passphrase": Key(TEXT, "written out; take it from `${env.NAME}`"),
        "kms": Key(url("https", "grpc", "http"), "kept by a key server, at this URL"),
        "lock_to_state": Key(FLAG, "whether it is bound to the STATE volume, too"),
    }
)
ENCRYPTION = Key(
    Table(
        {
            "keys": Key(Many(_KEY), "the keys that open it, each with one method", required=True),
            "cipher": Key(TEXT, "such as `aes-xts-plain64`"),
            "key_size": Key(whole(1, 4096), "in bits"),
            "block_size": Key(whole(512, 4096), "in bytes"),
            "options": Key(Many(one_of("no_read_workqueue", "no_write_workqueue", "same_cpu_crypt")), "for speed"),
            "allow_discards": Key(
                FLAG,
                "whether freed space is told to the disk",
                needs=lambda contract: contract.volume_upkeep,
            ),
        }
    ),
    "how it is encrypted",
)


def encryption(volume: Settings) -> dict[str, Value]:
    """The `encryption` of a volume's document; empty without one."""
    wanted = table(volume, "encryption")
    if not wanted:
        return {}
    names = {"cipher": "cipher", "key_size": "keySize", "block_size": "blockSize", "options": "options"}
    keys = tuple(_key(number, key) for number, key in enumerate(rows(wanted, "keys")))
    return {
        "provider": "luks2",
        "keys": keys,
        **renamed(wanted, names),
        **renamed(wanted, {"allow_discards": "allowDiscards"}),
    }


def _key(number: int, key: Settings) -> dict[str, Value]:
    fields: dict[str, Value] = {"slot": key.get("slot", number)}
    if "passphrase" in key:
        fields["static"] = {"passphrase": key["passphrase"]}
    if plain(key, "node_id"):
        fields["nodeID"] = {}
    if "kms" in key:
        fields["kms"] = {"endpoint": key["kms"]}
    if "tpm" in key:
        tpm = table(key, "tpm")
        options = {"pcrs": items(tpm, "pcrs")} if "pcrs" in tpm else {}
        fields["tpm"] = present(options=options) | renamed(
            tpm, {"check_secure_boot": "checkSecurebootStatusOnEnroll"}
        )
    return fields | renamed(key, {"lock_to_state": "lockToState"})


def judge_encryption(volume: Settings, *path: str) -> Iterator[Complaint]:
    """Keys without a method or with several, and slots that are taken."""
    wanted, taken = table(volume, "encryption"), set[Value]()
    below = (*path, "encryption", "keys")
    if "encryption" in volume and "keys" in wanted and not items(wanted, "keys"):
        yield Complaint(below, "without keys nobody can open it", "add a key, such as {tpm: {}}")
    for number, key in enumerate(rows(wanted, "keys")):
        methods = [name for name in _METHODS if name in key and plain(key, name) is not False]
        if len(methods) != 1:
            said = f"it has {' and '.join(methods)}" if methods else "it has none"
            yield Complaint(
                (*below, number), f"a key has one method, and {said}", f"give it one of {', '.join(_METHODS)}"
            )
        slot = strip_origins(key.get("slot", number))
        if slot in taken:
            yield Complaint((*below, number), f"slot {slot} is taken", "give it a `slot` of its own")
        taken.add(slot)
