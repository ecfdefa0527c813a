"""`prov validate`."""

from __future__ import annotations

from provisioner.cli import options, session


def validate(
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Check a cluster file and everything it names, without touching anything."""
    from provisioner.model.state import State

    project = session.project(file, None, var)
    graph = project.graph(State(project.spec.name, lineage="", serial=0))
    if json:
        session.data_json({"valid": True, "cluster": graph.cluster, "resources": [str(a) for a in graph.resources]})
    else:
        session.data(f"{file} is valid: cluster {graph.cluster}, {len(graph.resources)} resources\n")
