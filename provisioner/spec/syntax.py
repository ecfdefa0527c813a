"""What a YAML parser complains about, in words that lead to the mistake."""

from __future__ import annotations

import yaml

from provisioner.errors import Place
from provisioner.spec.findings import Findings

_REMEDIES = (
    (
        "mapping values are not allowed here",
        "put quotes around a text with ': ' in it; else check this line's indentation, and the line before it",
    ),
    ("could not find expected ':'", "a key needs ': ' behind it; a text over several lines needs | or quotes"),
    ("expected <block end>", "bring this line to the same indentation as its neighbours"),
    ("expected ',' or", "close every [ and {, and put commas between the items"),
    ("found unexpected end of stream", "close the quotes"),
    ("while scanning a quoted scalar", "close the quotes"),
    ("unknown escape character", "in double quotes write \\\\ for a backslash, or use single quotes"),
    ("while scanning an anchor", "put quotes around a text that begins with &"),
    ("while scanning an alias", "put quotes around a text that begins with *"),
    ("that cannot start any token", "put quotes around a text that begins with this character"),
)


def explain_syntax(err: yaml.MarkedYAMLError, text: str, file: str, findings: Findings) -> None:
    """Notes what stopped the parser; what was never closed is shown where it begins."""
    said = ", ".join(part for part in (err.context, err.problem) if part)
    at_end = "end of stream" in said or "<stream end>" in said
    mark = (err.context_mark if at_end else None) or err.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    place = Place(file, line, column)
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "'\\t'" in said or written[: column - 1].strip(" ") == "\t":
        findings.add(
            "yaml-tab",
            "a tab is used for indentation",
            place,
            detail="YAML allows spaces only at the beginning of a line",
            remedy="replace the tab by spaces",
        )
        return
    findings.add("yaml-syntax", "the file is not valid YAML", place, detail=said, remedy=_remedy(said, written))


def explain_unreadable(text: str, position: int, file: str, findings: Findings) -> None:
    """Notes a character that no YAML file may hold, such as NUL."""
    before = text[:position]
    findings.add(
        "yaml-character",
        "the file holds a character that YAML does not allow",
        Place(file, before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1),
        detail=f"the character is U+{ord(text[position]):04X}",
        remedy="remove it; a binary file cannot be used here",
    )


def _remedy(said: str, written: str) -> str:
    if "${" in written and ("{" in written.replace("${", "") or "[" in written):
        return 'inside { } and [ ] a text with ${…} needs quotes: "${var.name}"'
    return next((remedy for sign, remedy in _REMEDIES if sign in said), "look at this line and the one before it")
