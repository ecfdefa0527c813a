"""Which node a machine is, by the configuration it runs with."""

from __future__ import annotations

import pytest

from provisioner.talos.api.access import Configured, Foreign
from provisioner.talos.config.encode import encode
from provisioner.talos.kinds.node import as_node

ROOT = {"version": "v1alpha1", "machine": {"type": "worker"}}
NAME = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": "other"}
SCRIPT = {
    "apiVersion": "v1alpha1",
    "kind": "ExtensionServiceConfig",
    "name": "x",
    "configFiles": [{"content": "kind: HostnameConfig\n---\nhostname: nobody\n", "mountPath": "/x"}],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (encode([ROOT, NAME]), "other"),
        (encode([NAME, ROOT]), "other"),
        (encode([ROOT, SCRIPT, NAME]), "other"),
        ("--- # HostnameConfig is below\n" + encode([ROOT, NAME]) + "---\n", "other"),
        ('---\n{"kind": "HostnameConfig", "hostname": "other"}\n', "other"),
        (encode([ROOT]), ""),
        (encode([ROOT, SCRIPT]), ""),
        ("kind: HostnameConfig\nhostname: [", ""),
        ("", ""),
    ],
)
def test_a_machine_is_the_node_that_its_hostname_document_names(make_props, text, found):
    """Another name is another node; a machine that tells of none is taken for the one expected there."""
    machine = Configured("running", ready=True, active=text)

    expected = Foreign(f"it is the node {found} of this cluster") if found else machine
    assert as_node(machine, make_props("control-1")) == expected
