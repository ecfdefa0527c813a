"""Tables beside the cluster file are read line by line, in YAML and in CSV alike."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import field, frozen

from provisioner.model.schema import Schema
from provisioner.model.value import Secret
from provisioner.sdk import prop
from provisioner.spec.fields import Reader
from provisioner.spec.findings import Findings
from provisioner.spec.references import Scope
from provisioner.spec.tables import read_table


@frozen
class Row:
    bmc: str
    unit: int = 0
    spare: bool = False
    password: Secret | None = prop(secret=True, default=None)  # noqa: RUF009
    macs: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(factory=dict)


WHOLE = {
    "bmc": "redfish://a",
    "unit": 3,
    "spare": True,
    "password": Secret("hunter2"),
    "macs": ("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "labels": {"gpu": "yes", "tier": "2"},
}
MAPPING = """\
one:
  bmc: redfish://a
  unit: 3
  spare: true
  password: "${env.BMC}"
  macs: ["52:54:00:00:00:01", "52:54:00:00:00:02"]
  labels: {gpu: "yes", tier: "2"}
two: {bmc: redfish://b}
"""
LISTED = """\
- {name: one, bmc: redfish://a, unit: 3, spare: true, password: "${env.BMC}",
   macs: ["52:54:00:00:00:01", "52:54:00:00:00:02"], labels: {gpu: "yes", tier: "2"}}
- {name: two, bmc: redfish://b}
"""
COMMAS = """\
name,bmc,unit,spare,password,macs,labels
one,redfish://a,3,true,${env.BMC},52:54:00:00:00:01 52:54:00:00:00:02,gpu=yes tier=2
two,redfish://b,,,,,
"""


def read(text: str, name: str) -> tuple[dict[str, object], list[str]]:
    findings = Findings()
    reader = Reader(findings, Scope(environ={"BMC": "hunter2"}))
    rows = read_table(text.encode(), name, Schema.of(Row), reader)
    return dict(rows), [f"{problem.place}: {problem.code}: {problem.detail}" for problem in findings.problems]


@pytest.mark.parametrize(("text", "name"), [(MAPPING, "hosts.yaml"), (LISTED, "hosts.yaml"), (COMMAS, "hosts.csv")])
def test_three_ways_of_writing_a_table_mean_the_same(text: str, name: str) -> None:
    """Rows come by name, in order, with defaults; a secret stays one."""
    rows, problems = read(text, name)
    assert problems == []
    assert list(rows) == ["one", "two"]
    assert rows["one"] == WHOLE
    assert rows["two"] == {
        "bmc": "redfish://b", "unit": 0, "spare": False, "password": None, "macs": (), "labels": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("one: {bmc: redfish://a, rank: 3}", "t.yaml", "t.yaml:1:25: table-row: one: rank is not"),
        ("one: {unit: 3}", "t.yaml", "t.yaml:1:6: table-row: one: bmc is required"),
        ("one:\n  bmc: 7\n", "t.yaml", "t.yaml:2:3: table-row: one: bmc must be text"),
        ("one: 3", "t.yaml", "t.yaml:1:6: wrong-type: one must be a mapping"),
        ("- {bmc: redfish://a}", "t.yaml", "t.yaml:1:3: missing-key: a row has no name"),
        ("- {name: a, bmc: x}\n- {name: a, bmc: y}", "t.yaml", "t.yaml:2:10: table-twice: a is there already"),
        ("name,bmc,unit\none,redfish://a,tall\n", "t.csv", "t.csv:2:1: table-row: one: unit must be a whole number"),
        ("name,bmc\none,a,b\n", "t.csv", "t.csv:2:1: table-line: it has more cells"),
        ("name,bmc\n,a\n", "t.csv", "t.csv:2:1: table-line: it has no name"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, name: str, expected: str) -> None:
    """Place, row and field are named, and the row is left out."""
    _, problems = read(text, name)
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_a_file_that_is_no_text_is_a_problem() -> None:
    """Bytes of anything lead to a problem with a place."""
    findings = Findings()
    read_table(b"\xff\xfe\x00", "t.csv", Schema.of(Row), Reader(findings, Scope()))
    assert [problem.code for problem in findings.problems] == ["table-line"]


def test_a_row_is_refused_at_the_line_of_the_field_that_is_wrong() -> None:
    """What only the provider knows is wrong; a field that the row does not say has the place of the row."""
    findings = Findings()
    reader = Reader(findings, Scope(environ={"BMC": "hunter2"}))

    def check(row: Mapping[str, object]) -> list[tuple[str, str, str]]:
        wrong = [("unit", "is too high", "choose another")] if row["unit"] == 3 else []
        return [*wrong, ("spare", "must be said", "say it")] if row["bmc"] == "redfish://b" else wrong

    rows = read_table(MAPPING.encode(), "hosts.yaml", Schema.of(Row), reader, check)

    assert [(str(problem.place), problem.detail, problem.remedy) for problem in findings.problems] == [
        ("hosts.yaml:3:3", "one: unit is too high", "choose another"),
        ("hosts.yaml:8:6", "two: spare must be said", "say it"),
    ]
    assert list(rows) == ["one", "two"]


def test_what_only_one_row_can_have_is_told_with_both_lines() -> None:
    """At the later one, with the name and the place of the earlier one; a row is never its own twin."""
    findings = Findings()
    rows = b"name,bmc\none,redfish://a\ntwo,redfish://b\nthree,redfish://a\n"

    def single(row: Mapping[str, object]) -> list[tuple[str, str]]:
        return [("bmc", str(row["bmc"])), ("bmc", str(row["bmc"]))]

    read_table(rows, "hosts.csv", Schema.of(Row), Reader(findings, Scope()), single=single)

    assert [(problem.code, str(problem.place), problem.detail) for problem in findings.problems] == [
        ("table-row-twice", "hosts.csv:4:1", "three: bmc redfish://a is that of one at hosts.csv:2:1")
    ]
