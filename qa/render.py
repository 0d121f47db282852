"""An `Answer` -> escaped HTML for the chat, or plain text for a terminal; pure functions.

Citation numbers such as [1] exist only here: an answer itself holds statements and their citations (DESIGN 3.1).
Every renderer checks its citations again before it shows them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from index.types import Hit
from qa.render_receipts import EXCERPT_CHARS, render_consulted, render_passages
from qa.safe_text import clipped, escape, neutralise, origin_line
from qa.small_talk import is_small_talk
from qa.types import Abstention, Answer, Citation, Disagreement, Statement, Support, flat, frames

TERMINAL_COLUMNS = 100  # as wide as is still easy to read
MIN_COLUMNS = 20  # narrower ones hold no quote beside its indent; the terminal wraps once more
NEAREST_SHOWN = 3  # what an abstention shows for a person to judge by: enough to see that nothing fits
QUOTE_CHARS = 600  # a long sentence; the rest of a longer one is in the article
CHIP_CHARS = 44  # a chip stays on one line; where there is less room its end is cut
DECLINED = "The articles do not say."
DIFFER = "The articles differ"
_SUPPORT_WORDS = {Support.WEAK: "weakly supported", Support.UNSUPPORTED: "not supported"}
_CHIP_WORDS = {
    Support.VERBATIM: "quoted",
    Support.SUPPORTED: "supported",
    Support.WEAK: "weak",
    Support.UNSUPPORTED: "not supported",
}


def render_answer(answer: Answer, turn: int) -> str:
    """Return the finished answer as HTML: short answer, statements with citation chips, what else was read; or a card.

    `turn` is the answer's place in its chat; with a citation's number it tells the page what a chip opens.

    Raises:
        BrokenCitationError: If a citation does not slice back to its quote.
    """
    notes = [f"Read as: {answer.standalone_question}"] if answer.standalone_question else []
    notes += [answer.degraded] if answer.degraded else []
    head = "".join(f'<p class="note" dir="auto">{escape(note)}</p>' for note in notes)
    if answer.abstention is not None:
        return head + _render_abstention(answer, answer.abstention, turn)
    if answer.short_answer:
        head += f'<p class="short" dir="auto">{escape(flat(answer.short_answer))}</p>'
    body = render_statements(answer.uncontested, answer.citations, turn)
    sides = "".join(_render_disagreement(each, answer, turn) for each in answer.disagreements)
    return head + body + sides + render_consulted(answer, turn)


def render_statements(statements: Sequence[Statement], citations: Sequence[Citation], turn: int) -> str:
    """Return statements as HTML paragraphs, each followed by its citation chips.

    Raises:
        BrokenCitationError: If a citation does not slice back to its quote.
    """
    by_number = _verified(citations)
    return "".join(_render_statement(statement, by_number, turn) for statement in statements)


def render_terminal(answer: Answer, columns: int = TERMINAL_COLUMNS) -> str:
    """Return the answer as plain text: statements with [1], then each citation's title, outlet, date and quote.

    Args:
        answer: It may also be one that declines.
        columns: Of the terminal; more than `TERMINAL_COLUMNS` are not used.

    Raises:
        BrokenCitationError: If a citation does not slice back to its quote.
    """
    notes = [f"Read as: {answer.standalone_question}"] if answer.standalone_question else []
    notes += [answer.degraded] if answer.degraded else []
    if answer.abstention is not None:
        said = declined(answer.question)
        blocks = [*notes, f"{said} {_reason(answer.abstention)}".lstrip()]
        blocks += [searched_line(answer.hits)] if said else []
        blocks += ["\n".join(_nearest_lines(hit)) for hit in answer.hits[:NEAREST_SHOWN]]
    else:
        _verified(answer.citations)
        short = [answer.short_answer] if answer.short_answer and answer.short_answer != answer.text else []
        statements = " ".join(with_numbers(statement) for statement in answer.uncontested)
        disagreements = [line for each in answer.disagreements for line in _disagreement_lines(each, answer)]
        blocks = [*notes, *short, *([statements] if statements else []), *disagreements]
        blocks += ["\n".join(_citation_lines(citation)) for citation in answer.citations]
    return "\n\n".join(_wrapped(block, max(MIN_COLUMNS, min(columns, TERMINAL_COLUMNS))) for block in blocks)


def declined(question: str) -> str:
    """Return what stands before the reason of an abstention; nothing when nothing was asked of the articles."""
    return "" if is_small_talk(question) else DECLINED


def searched_line(hits: Sequence[Hit]) -> str:
    """Return one sentence on what was searched, e.g. `Searched: the 10 nearest passages, from 2 articles`."""
    if not hits:
        return "Searched: the whole library; no passage comes near the question."
    n_articles = len({hit.article.id for hit in hits})
    passages = "the nearest passage" if len(hits) == 1 else f"the {len(hits)} nearest passages"
    return f"Searched: {passages}, from {n_articles} article{'s' if n_articles > 1 else ''}."


def _verified(citations: Iterable[Citation]) -> dict[int, Citation]:
    by_number = {}
    for citation in citations:
        citation.verify()
        by_number[citation.n] = citation
    return by_number


def _render_statement(statement: Statement, by_number: dict[int, Citation], turn: int) -> str:
    words = escape(flat(statement.text))
    if statement.support is Support.UNSUPPORTED:
        words = f"<s>{words}</s>"
    chips = "".join(" " + render_chip(by_number[n], turn, statement.support) for n in statement.citations)
    return f'<p class="statement" dir="auto">{words}{_render_doubt(statement)}{chips}</p>'


def _render_doubt(statement: Statement) -> str:
    """Return what is doubtful of a statement as HTML; nothing for one that is supported."""
    if statement.support not in _SUPPORT_WORDS:
        return ""
    problems = f": {'; '.join(statement.problems)}" if statement.problems else ""
    return f' <span class="support {statement.support}">{escape(_SUPPORT_WORDS[statement.support] + problems)}</span>'


def render_chip(citation: Citation, turn: int, support: Support) -> str:
    """Return the button that opens a citation: its number, outlet and date, and how well it supports its sentence."""
    known = origin_line(citation.article)
    # Outlet or date alone would not tell two articles apart.
    where = " · ".join(known if len(known) > 1 else (*known, flat(citation.article.title)))
    word = _CHIP_WORDS[support]
    full = f"Citation {citation.n}, {word}: {where}. Open the article at this sentence."
    return (
        f'<button type="button" class="chip {support}" data-turn="{turn}" data-n="{citation.n}"'
        f' aria-label="{escape(full)}" data-quote="{escape(clipped(citation.quote, QUOTE_CHARS))}"><b>{citation.n}</b>'
        f' <bdi>{escape(clipped(where, CHIP_CHARS))}</bdi> <span class="state">{word}</span></button>'
    )


def _render_disagreement(disagreement: Disagreement, answer: Answer, turn: int) -> str:
    by_number = _verified(answer.citations)
    stated = {n: statement for statement in answer.statements for n in statement.citations}
    support = {n: statement.support for n, statement in stated.items()}
    sides = ""
    for frame, position in zip(frames(len(disagreement.positions)), disagreement.positions, strict=True):
        chips = " ".join(render_chip(by_number[n], turn, support.get(n, Support.VERBATIM)) for n in position.citations)
        first = stated.get(position.citations[0])
        words = escape(flat(answer.statement_of(position))) + (_render_doubt(first) if first else "")
        sides += (
            f'<div class="side" dir="auto"><h4>{frame}</h4><p class="value">{escape(flat(position.value))}</p>'
            f'<p class="statement">{words} {chips}</p></div>'
        )
    about = escape(flat(disagreement.about))
    return f'<section class="sides"><h3>{DIFFER}: {about}</h3><div class="pair">{sides}</div></section>'


def _render_abstention(answer: Answer, abstention: Abstention, turn: int) -> str:
    if not declined(answer.question):
        return f'<section class="declined"><p dir="auto">{escape(_reason(abstention))}</p></section>'
    nearest = render_passages(answer.hits[:NEAREST_SHOWN], turn)
    receipts = f"<h4>Nearest passages</h4>{nearest}" if nearest else ""
    return (
        f'<section class="declined"><h3>{DECLINED}</h3><p dir="auto">{escape(_reason(abstention))}</p>'
        f'<p class="searched">{escape(searched_line(answer.hits))}</p>{receipts}</section>'
    )


def _reason(abstention: Abstention) -> str:
    """Return the reason without the words that stand above it already."""
    reason = flat(abstention.reason).removeprefix(f"{DECLINED.removesuffix('.')}: ")
    return reason[:1].upper() + reason[1:]


def with_numbers(statement: Statement) -> str:
    """Return a statement as plain text with its citations' numbers, and what is doubtful of it."""
    numbers = "".join(f"[{n}]" for n in statement.citations)
    doubt = f" ({_SUPPORT_WORDS[statement.support]})" if statement.support in _SUPPORT_WORDS else ""
    return f"{flat(statement.text)} {numbers}{doubt}"


def _disagreement_lines(disagreement: Disagreement, answer: Answer) -> list[str]:
    sides = [f"{DIFFER}: {flat(disagreement.about)}"]
    for frame, position in zip(frames(len(disagreement.positions)), disagreement.positions, strict=True):
        numbers = "".join(f"[{n}]" for n in position.citations)
        sides.append(f"  {frame}: {flat(position.value)}")
        sides.append(f"    {flat(answer.statement_of(position))} {numbers}")
    return ["\n".join(sides)]


def _citation_lines(citation: Citation) -> tuple[str, str]:
    where = ", ".join((flat(citation.article.title), *origin_line(citation.article)))
    return f"[{citation.n}] {where}", f"    “{flat(citation.quote)}”"


def _nearest_lines(hit: Hit) -> tuple[str, str]:
    where = ", ".join((flat(hit.article.title), *origin_line(hit.article)))
    return f"{hit.rank}. {where}", f"    “{clipped(hit.passage.text, EXCERPT_CHARS)}”"


def _wrapped(block: str, columns: int) -> str:
    lines = []
    for line in neutralise(block).split("\n"):
        words = line.lstrip(" ")
        indent = " " * (len(line) - len(words))
        lines += textwrap.wrap(
            words,
            columns,
            initial_indent=indent,  # given apart, it also stands before a word that is longer than the line
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
