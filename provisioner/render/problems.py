"""Problems as people read them: what, where, why, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioner.errors import Problem
from provisioner.render.style import Style


def problems_text(problems: Sequence[Problem], style: Style, *, word: str = "error") -> str:
    """All problems, in the order given.

    error: the summary
      at cluster.yaml:3:5
      the particulars
      hint: the next thing to try

    Of warnings the word is another one, and their code is told, by which they can be left out.
    """
    return "\n".join(line for problem in problems for line in _lines(problem, style, word)) + "\n"


def _lines(problem: Problem, style: Style, word: str) -> Iterator[str]:
    if word == "error":
        yield f"{style.paint(word, 'red')}: {problem.summary}"
    else:
        yield f"{style.paint(word, 'yellow')}: {problem.summary}  ({problem.code})"
    if str(problem.place):
        yield f"  at {problem.place}"
    yield from (f"  {line}" for line in problem.detail.splitlines())
    if problem.remedy:
        yield f"  {style.paint('hint', 'cyan')}: {problem.remedy}"
