"""What a file says about the life of its resources: moves, replacements, what is left alone, what is taken over."""

from __future__ import annotations

from typing import Any

from fakes.lab import Lab, cluster

VALUE = "core.value"


def resources(lab: Lab, blocks: dict[str, Any], **more: Any) -> None:
    """A file without a cluster."""
    lab.write({"version": 1, "name": "lab", "resources": blocks, **more})


def value(of: Any, **more: Any) -> dict[str, Any]:
    return {"kind": VALUE, "props": {"value": of}, **more}


def recorded(lab: Lab) -> dict[str, str]:
    """The ids on record, by address; what is deposed bears a mark."""
    entries = lab.json("state", "list")
    return {entry["address"] + ("!" if entry["deposed"] else ""): entry["id"] for entry in entries}


def test_what_is_called_otherwise_stays_what_it_is(lab: Lab) -> None:
    """Also where the old name is used again."""
    resources(lab, {"a": value(1), "user": value("${resources.a.id}")})
    lab.prov("apply", "--yes")
    before = recorded(lab)

    resources(
        lab,
        {"b": value(1), "a": value(2), "user": value("${resources.b.id}")},
        moved=[{"from": "resources.a", "to": "resources.b"}],
    )
    shown = lab.prov("plan", code=2).stdout
    assert "core.value/a → core.value/b" in shown
    assert "1 to create" in shown
    lab.prov("apply", "--yes")

    after = recorded(lab)
    assert after["core.value/b"] == before["core.value/a"]
    assert after["core.value/a"] not in before.values()
    assert lab.json("plan")["empty"]


def test_a_move_is_all_there_is_to_do(lab: Lab) -> None:
    """Through a name that the file has never had here; what is done already may stay in the file."""
    resources(lab, {"a": value(1)})
    lab.prov("apply", "--yes")
    (id_,) = recorded(lab).values()

    chain = [{"from": "resources.a", "to": "resources.b"}, {"from": "core.value/b", "to": "core.value/c"}]
    resources(lab, {"c": value(1)}, moved=chain)
    shown = lab.prov("plan", code=2).stdout.splitlines()
    assert shown[0] == "Plan for lab: 2 to move"
    assert [line.split() for line in shown[2:4]] == [
        ["core.value/a", "→", "core.value/b", "(moved)"],
        ["core.value/b", "→", "core.value/c", "(moved)"],
    ]
    lab.prov("apply", "--yes")

    assert recorded(lab) == {"core.value/c": id_}
    assert lab.json("plan")["empty"]
    lab.prov("destroy", "--yes")
    assert recorded(lab) == {}


def test_what_belongs_to_the_cluster_keeps_its_name(lab: Lab) -> None:
    """Whichever end of a move it would be."""
    spare = {"kind": "sim.balancer", "props": {"name": "spare", "group": "lab"}}
    moved = [{"from": "sim.balancer/api", "to": "resources.spare"}]
    lab.write(cluster(1, 1, resources={"spare": spare}, moved=moved))
    refused = lab.prov("plan", code=1).stderr
    assert "what belongs to the cluster keeps its name\n  at cluster.yaml:" in refused
    assert "sim.balancer/api would become sim.balancer/spare" in refused

    renamed = [{"from": "sim.machine/workers-2", "to": "sim.machine/workers-1"}]
    lab.write(cluster(1, 1, moved=renamed))
    assert "keep their names" in lab.prov("validate", code=1).stderr


def test_a_replacement_that_comes_first(lab: Lab) -> None:
    """Its user goes over to the new one, then the old one goes."""

    def generation(number: int) -> None:
        lifecycle = {"replace": "create_first"}
        block = {"kind": VALUE, "props": {"value": "x", "replace_when": number}, "lifecycle": lifecycle}
        user = value("${resources.a.id}")
        resources(lab, {"a": block, "user": user}, outputs={"seen": "${resources.user.value}"})

    generation(1)
    lab.prov("apply", "--yes")
    generation(2)
    assert "  ± core.value/a" in lab.prov("plan", code=2).stdout
    steps = {step["id"]: step for step in lab.json("plan", code=2)["steps"]}
    assert "create:core.value/a" in steps["update:core.value/user"]["after"]
    assert "update:core.value/user" in steps["delete:core.value/a#1"]["after"]
    lab.prov("apply", "--yes")

    assert sorted(recorded(lab)) == ["core.value/a", "core.value/user"]
    assert lab.json("output")["seen"] == recorded(lab)["core.value/a"]
    assert lab.json("plan")["empty"]


def test_what_is_left_alone(lab: Lab) -> None:
    """A difference there is none; where something else changes, it is written as it stands."""
    lifecycle = {"ignore": ["props.value.tags"]}
    resources(lab, {"a": value({"tags": ["x"], "size": 1}, lifecycle=lifecycle)})
    lab.prov("apply", "--yes")

    resources(lab, {"a": value({"tags": ["y"], "size": 1}, lifecycle=lifecycle)})
    assert lab.json("plan")["empty"]

    changed = {"a": value({"tags": ["y"], "size": 2}, lifecycle=lifecycle)}
    resources(lab, changed, outputs={"a": "${resources.a.value}"})
    lab.prov("apply", "--yes")
    assert lab.json("output")["a"] == {"tags": ["x"], "size": 2}


def test_a_file_that_takes_over_what_is_there(lab: Lab) -> None:
    """A balancer that the state has lost, named under `import:`; afterwards the line may stay."""
    spare = {"kind": "sim.balancer", "props": {"name": "spare", "group": "lab"}}
    document = cluster(1, 0, resources={"spare": spare})
    lab.write(document)
    lab.prov("apply", "--yes")
    (there,) = [item for item in lab.sim()["balancers"] if item["name"] == "spare"]
    lab.prov("state", "rm", "sim.balancer/spare", "--yes")

    spare["import"] = there["id"]
    lab.write(document)
    assert lab.changes() == [("adopt", "sim.balancer/spare")]
    lab.prov("apply", "--yes")

    assert [item["id"] for item in lab.sim()["balancers"] if item["name"] == "spare"] == [there["id"]]
    assert lab.json("plan")["empty"]


def test_a_file_that_takes_over_what_somebody_else_made(lab: Lab) -> None:
    """And makes of it what the file says, as far as it can be changed."""
    props = {"name": "box", "group": "lab", "role": "worker", "cpus": 2, "memory_mib": 2048, "image": "v1.13.9"}
    document = {"version": 1, "name": "lab", "providers": {"sim": {"time_scale": 0}}}
    box = {"kind": "sim.machine", "props": props}
    lab.write({**document, "resources": {"box": box}})
    lab.prov("apply", "--yes")
    there = lab.machines()["box"]["id"]
    lab.prov("sim", "fault", "disown", "box")
    lab.prov("state", "rm", "sim.machine/box", "--yes")

    for wrong, words in (({"cpus": 4}, "cpus of"), ({"name": "other"}, "name of")):
        lab.write({**document, "resources": {"box": {**box, "props": {**props, **wrong}, "import": there}}})
        assert words in lab.prov("apply", "--yes", code=1).stderr
    lab.write({**document, "resources": {"box": {**box, "import": "m-nothing"}}})
    assert "there is nothing under the id" in lab.prov("apply", "--yes", code=1).stderr
    lab.write({**document, "resources": {"box": {**box, "import": there}}})
    lab.prov("apply", "--yes")

    assert recorded(lab) == {"sim.machine/box": there}
    assert [machine["id"] for machine in lab.sim()["machines"]] == [there]
    assert lab.json("plan")["empty"]
    lab.write({**document, "resources": {"box": {**box, "import": "m-another"}}})
    assert "the address of an import stands for another object" in lab.prov("apply", "--yes", code=1).stderr


def test_one_block_for_several(lab: Lab) -> None:
    """By key, so that taking one out touches no other."""
    regions = {"eu": {"size": 1}, "us": {"size": 2}}
    block = value({"name": "${each.key}", "size": "${each.value.size}"}, for_each=regions)
    user = value("${resources.zone-eu.value.name}")
    resources(lab, {"zone": block, "user": user})
    lab.prov("apply", "--yes")
    before = recorded(lab)
    assert sorted(before) == ["core.value/user", "core.value/zone-eu", "core.value/zone-us"]

    block["for_each"] = {"ap": {"size": 3}, "eu": {"size": 1}}
    resources(lab, {"zone": block, "user": user}, outputs={"ap": "${resources.zone-ap.value.size}"})
    assert lab.changes() == [("create", "core.value/zone-ap"), ("delete", "core.value/zone-us")]
    lab.prov("apply", "--yes")

    assert lab.json("output") == {"ap": 3}
    assert recorded(lab)["core.value/zone-eu"] == before["core.value/zone-eu"]
