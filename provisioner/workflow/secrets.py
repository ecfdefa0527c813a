"""A cluster's secrets, out of the state and into it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from attrs import frozen

from provisioner.cluster.compose import TALOS
from provisioner.cluster.topology import topology_of
from provisioner.errors import Place, ProvError
from provisioner.model.state import Entry, Put, State, Status
from provisioner.model.value import Value, dig, reveal
from provisioner.state.ulid import new_ulid
from provisioner.talos.config.encode import encode
from provisioner.talos.config.pem import pem
from provisioner.talos.design import SECRETS
from provisioner.talos.pki.bundle import Bundle, from_tree, to_json_tree, to_tree
from provisioner.talos.pki.file import Documents
from provisioner.talos.pki.flaw import Flaw
from provisioner.talos.pki.reading import read_bundle
from provisioner.workflow.open import Project

Form = Literal["yaml", "json"]

AUTHORITIES = {"os": "Talos API", "k8s": "Kubernetes API", "k8saggregator": "aggregation", "etcd": "etcd"}
"""What each authority of the bundle vouches for."""

NEAR_END = timedelta(days=365)
"""How long before the end of an authority people are told: replacing one takes planning."""


@frozen
class Authority:
    """An authority of the cluster; nothing secret. `fingerprint` is SHA-256 of its certificate, as hexadecimal."""

    name: str
    vouches_for: str
    until: datetime
    fingerprint: str


def secrets_of(state: State) -> Mapping[str, Value]:
    """The bundle on record, in the layout of secrets.yaml; raises ProvError where there is none yet."""
    entry = state.entries.get(SECRETS)
    if entry is None or not entry.outputs:
        raise ProvError(
            "the cluster has no secrets yet",
            detail="nothing was applied so far",
            remedy="run `prov apply` first",
        )
    return entry.outputs


def exported(state: State, form: Form) -> str:
    """The bundle as Talos's secrets.yaml, or as its JSON form: all of it in the clear."""
    bundle = from_tree(secrets_of(state))
    if form == "json":
        return json.dumps(reveal(to_json_tree(bundle)), indent=2) + "\n"
    return encode([reveal(to_tree(bundle))])


def take_over(project: Project, file: Path) -> None:
    """Puts secrets that were made elsewhere on record, for a cluster that is yet to be born.

    Raises Flaw with the place of what is wrong in the file, and ProvError where the cluster has secrets already.
    """
    bundle = _read(file, project.world.now())
    topology, _ = topology_of(project.spec, {})
    if topology is None:
        raise ProvError(
            "the file describes no cluster",
            detail="it has resources and outputs only",
            remedy="add `talos:`, `providers:` and `pools:`",
        )
    with project.store.lock(project.lock_info("secrets import")) as fence:
        _refuse_second(project.store.load())
        project.store.commit([Put(_entry(bundle, topology.talos.contract))], fence)


def authorities(state: State) -> tuple[Authority, ...]:
    """The authorities on record; needs no identity, since certificates are not sealed."""
    tree = secrets_of(state)
    return tuple(_authority(name, what, str(dig(tree, f"certs.{name}.crt"))) for name, what in AUTHORITIES.items())


def near_their_end(state: State, now: datetime) -> tuple[str, ...]:
    """A sentence for each authority that ends soon, or has; none where there are no secrets yet."""
    if SECRETS not in state.entries or not state.entries[SECRETS].outputs:
        return ()
    soon = (each for each in authorities(state) if each.until - now < NEAR_END)
    return tuple(
        f"the authority of the {each.vouches_for} {'ends' if each.until > now else 'ended'} on "
        f"{each.until.date().isoformat()}, and everything it has signed ends with it"
        for each in soon
    )


def _read(file: Path, now: datetime) -> Bundle:
    documents = None
    try:
        documents = Documents.of(file.read_text())
        return read_bundle(documents.trees, now)
    except Flaw as flaw:
        line, column = documents.position(flaw.path) if documents else (0, 0)
        flaw.place = Place(str(file), line, column)
        raise
    except (OSError, UnicodeDecodeError) as err:
        raise ProvError(
            "the file cannot be read",
            detail=f"{file}: {err.strerror if isinstance(err, OSError) else 'it is no text'}",
            remedy="name a secrets.yaml, or the configuration of a control plane",
        ) from None


def _refuse_second(state: State) -> None:
    if any(address == SECRETS for address in state.entries):
        raise ProvError(
            "the cluster has secrets already",
            detail=f"{SECRETS} is on record, and what stands trusts those",
            remedy="import before the first apply; a cluster that is destroyed may be born with others",
        )


def _entry(bundle: Bundle, contract: str) -> Entry:
    tree = to_tree(bundle)
    return Entry(
        address=SECRETS,
        generation=1,
        provider=TALOS,
        key=new_ulid(),
        status=Status.READY,
        id=bundle.cluster_id,
        applied={"contract": contract},
        outputs={"id": bundle.cluster_id, **tree},
    )


def _authority(name: str, what: str, encoded: str) -> Authority:
    from provisioner.talos.pki.vetting import fingerprint, valid_until  # heavy: the crypto library

    text = pem(encoded)
    return Authority(name, what, valid_until(text), fingerprint(text))
