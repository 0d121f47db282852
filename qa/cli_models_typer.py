"""The command `models`: what reads and what writes, as configured, tested with one question."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from qa.cli_options_typer import JsonOption, LibraryOption, make_settings, print_json, print_lines

if TYPE_CHECKING:
    from index.types import Hit
    from qa.settings import Settings
    from qa.types import Reading

commands = typer.Typer(rich_markup_mode=None)
_QUESTION = "How much compensation does Rwanda want?"


@dataclass(frozen=True, slots=True)
class _Tested:
    """What one reader made of the test question."""

    reader: str
    reading: Reading
    seconds: float

    @property
    def works(self) -> bool:
        return bool(self.reading.statements) and self.reading.degraded is None

    def to_dict(self) -> dict[str, object]:
        reading = self.reading
        return {
            "reader": self.reader,
            "works": self.works,
            "answer": " ".join(statement.text for statement in reading.statements),
            "support": [statement.support.value for statement in reading.statements],
            "problem": reading.degraded or (reading.abstention.reason if reading.abstention else None),
            "seconds": round(self.seconds, 2),
            "usage": {"prompt_tokens": reading.prompt_tokens, "completion_tokens": reading.completion_tokens},
            "cost": reading.cost,
        }


@commands.command(
    epilog="Example: byline models --json", short_help="Name encoder, reader and language model, and test them."
)
def models(
    context: typer.Context,
    as_json: JsonOption = False,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Ask one question about a bundled article.")] = True,
    library: LibraryOption = None,
) -> None:
    """Say which encoder, reader and language model are configured, and test them with one question."""
    settings = make_settings(context, library)
    facts = configured(settings)
    tested = _test(settings) if test else []
    if as_json:
        print_json(facts | {"tested": [one.to_dict() for one in tested]})
    else:
        print_lines([f"{name:<16} {value}" for name, value in facts.items()])
        for one in tested:
            print_lines(_lines(one))
    if not all(one.works for one in tested):
        raise typer.Exit(1)


def configured(settings: Settings) -> dict[str, object]:
    """Return what is set, without the key: only whether there is one."""
    facts: dict[str, object] = {"encoder": settings.encoder, "reader": settings.reader}
    if settings.reader == "llm" or settings.llm_model:
        facts |= {
            "provider": settings.llm_provider,
            "model": settings.llm_model or "not set (BYLINE_LLM_MODEL)",
            "address": settings.llm_base_url or "the provider's own",
            "key": "set" if settings.llm_api_key else "not set",
            "context tokens": settings.llm_context_tokens,
            "time-out": f"{settings.llm_timeout_s:g} s",
            "price": settings.llm_price or "not set",
        }
        if settings.llm_provider == "gguf":
            facts["address"] = "this machine"
    return facts


def _test(settings: Settings) -> list[_Tested]:
    from qa.make_reader import make_extractive, make_llm_reader
    from qa.types import Reader

    readers: list[Reader] = [make_extractive(settings)]
    if settings.reader == "llm" or settings.llm_model:
        readers.append(make_llm_reader(settings))
    hits = _found_hits(settings)
    tested = []
    for reader in readers:
        started = time.perf_counter()
        reading = reader.read(_QUESTION, hits)
        tested.append(_Tested(reader.name, reading, time.perf_counter() - started))
    return tested


def _found_hits(settings: Settings) -> list[Hit]:
    """Return what a library of the bundled articles finds; it is made for this and thrown away."""
    import tempfile
    from pathlib import Path

    from corpus.load import bundled_articles
    from qa.byline import Byline

    with tempfile.TemporaryDirectory() as folder, Byline(Path(folder), settings) as library:
        library.add(bundled_articles())
        return library.search(_QUESTION)


def _lines(tested: _Tested) -> list[str]:
    facts = tested.to_dict()
    answer = facts["answer"] or "no answer"
    lines = ["", f"{tested.reader}: {'works' if tested.works else 'DOES NOT WORK'} ({facts['seconds']} s)"]
    lines += [
        f"  asked     {_QUESTION}",
        f"  answered  {answer}",
        f"  support   {', '.join(map(str, _states(tested)))}",
    ]
    if facts["problem"]:
        lines.append(f"  problem   {facts['problem']}")
    if tested.reading.prompt_tokens:
        cost = "" if tested.reading.cost is None else f", cost {tested.reading.cost:.6f}"
        lines.append(f"  tokens    {tested.reading.prompt_tokens} + {tested.reading.completion_tokens}{cost}")
    return lines


def _states(tested: _Tested) -> list[str]:
    return [statement.support.value for statement in tested.reading.statements] or ["-"]
