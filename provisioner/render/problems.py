"""Problems as people read them: what, where, why, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioner.errors import Problem
from provisioner.render.style import Style


def problems_text(problems: Sequence[Problem], style: Style) -> str:
    """All problems, in the order given.

    error: the summary
      at cluster.yaml:3:5
      the particulars
      hint: the next thing to try
    """
    return "\n".join(line for problem in problems for line in _lines(problem, style)) + "\n"


def _lines(problem: Problem, style: Style) -> Iterator[str]:
    yield f"{style.paint('error', 'red')}: {problem.summary}"
    if str(problem.place):
        yield f"  at {problem.place}"
    yield from (f"  {line}" for line in problem.detail.splitlines())
    if problem.remedy:
        yield f"  {style.paint('hint', 'cyan')}: {problem.remedy}"
