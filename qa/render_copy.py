"""An `Answer` -> plain text for the clipboard: statements with [1], then each citation's place and quote."""

from __future__ import annotations

from qa.render import declined
from qa.safe_text import neutralise, origin_line
from qa.types import Answer, Citation, Statement, Support, flat


def render_copy(answer: Answer) -> str:
    """Return the answer with its proof on as many lines as it has parts, none of them wrapped."""
    if answer.abstention is not None:
        said = f"{declined(answer.question)} {flat(answer.abstention.reason)}".lstrip()
        return neutralise(f"{answer.question}\n\n{said}")
    statements = " ".join(_with_numbers(statement) for statement in answer.statements)
    short = [answer.short_answer] if answer.short_answer else []
    sources = "\n".join(_source(citation) for citation in answer.citations)
    return neutralise("\n\n".join([answer.question, *short, statements, sources]))


def _with_numbers(statement: Statement) -> str:
    doubt = "" if statement.support in (Support.VERBATIM, Support.SUPPORTED) else f" ({statement.support})"
    return f"{flat(statement.text)} {''.join(f'[{n}]' for n in statement.citations)}{doubt}"


def _source(citation: Citation) -> str:
    where = ", ".join((flat(citation.article.title), *origin_line(citation.article)))
    address = f" {citation.article.url}" if citation.article.url else ""
    return f"[{citation.n}] {where}{address}\n    “{flat(citation.quote)}”"
