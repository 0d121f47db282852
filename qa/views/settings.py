"""The settings tab as HTML: what a visitor may choose, what leaves the machine then, and how everybody's is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corpus.errors import SettingsError
from qa.access import LOOPBACK
from qa.choice import AS_SET, STRICTNESSES, Choice
from qa.pipeline import MAX_K, N_READ
from qa.safe_text import clipped, escape

if TYPE_CHECKING:
    from qa.readers import Readers
    from qa.settings import Settings

HERE_ALONE = "Nothing leaves this machine: articles, questions and answers are read and kept on it alone."
MODEL_HERE = (
    "Nothing is sent to another machine: each question and the passages found for it are read by a language model on "
    "this one."
)
SENT = (
    "Each question, also those that are suggested after an answer, and the passages found for it are sent to {model}."
)
NOTHING_ELSE = "Nothing else leaves this machine."
OWN_READER = "This page was started with a reader of its own: what it sends, and where, is known to who made it."
MODEL_CHARS = 60
TIMED = "How long each question took, and counts, are sent to the collector of traces that is set; none of its words."
TOLD = "Each question, its answer and how long it took are sent to the collector of traces that is set."
MEANINGS = {  # not the library's folder: a visitor from elsewhere has no need to know places on this machine
    "reader": "What turns passages into answers",
    "strictness": "How sure the reader must be before it answers rather than declines",
    "k": "Passages that an answer shows",
    "chunk_tokens": "Longest passage, in tokens",
    "encoder": "What compares meanings",
    "max_question_chars": "Longest question, in characters",
}
STRICTNESS_WORDS = {
    "lenient": "Lenient: answers more often, and is wrong more often",
    "balanced": "Balanced",
    "strict": "Strict: declines rather than be wrong",
}
READER_WORDS = {"extractive": "Sentences of the articles, word for word", "llm": "A language model, every line checked"}


def make_choice(fields: Mapping[str, str], settings: Settings, readers: Readers) -> Choice:
    """Return what the fields say; what is as set for everybody is no choice.

    Args:
        fields: `k`, `strictness` and `reader`, as typed; one that is empty or missing is as set.
        settings: What is set for everybody.
        readers: Say which may be chosen.

    Raises:
        SettingsError: If a value is out of its range, in one sentence for the visitor.
    """
    typed, strictness, reader = (fields.get(name, "").strip() for name in ("k", "strictness", "reader"))
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise SettingsError(f"{clipped(typed, 20)!r} is no number of passages. Choose one from 1 to {MAX_K}.")
    if reader and reader not in readers.offered:
        raise SettingsError(f"There is no reader {clipped(reader, 20)!r} to choose here.")
    k = int(typed) if typed else None
    checked = Choice(k, strictness or None, reader or None)  # type: ignore[arg-type]  # it says so if they are none
    return Choice(
        None if k == settings.k else k,
        None if strictness == settings.strictness else checked.strictness,
        None if reader == readers.default else checked.reader,
    )


def in_words(choice: Choice) -> str:
    """Return e.g. `strict, 3 passages shown`; empty when nothing is chosen."""
    parts: list[str] = [choice.strictness] if choice.strictness else []
    parts += [f"{choice.k} passage{'' if choice.k == 1 else 's'} shown"] if choice.k else []
    parts += [f"reader {choice.reader}"] if choice.reader else []
    return ", ".join(parts)


def leaving(settings: Settings, readers: Readers, choice: Choice = AS_SET) -> str:
    """Return the line that says what leaves the machine when questions are answered so."""
    reader = choice.reader or readers.default
    traced = "" if settings.trace_endpoint is None else TOLD if settings.trace_texts else TIMED
    if reader is None:
        return f"{OWN_READER} {traced}".rstrip()
    if reader == "extractive":
        return traced or HERE_ALONE
    if _is_here(settings):
        return traced or MODEL_HERE
    return f"{SENT.format(model=_model_in_words(settings))} {traced or NOTHING_ELSE}"


def render_settings(
    settings: Settings,
    readers: Readers,
    choice: Choice = AS_SET,
    *,
    typed: Mapping[str, str] | None = None,
    refusal: str = "",
) -> str:
    """Return the tab.

    Args:
        settings: What is set for everybody.
        readers: Say which may be chosen.
        choice: The visitor's own.
        typed: What they typed instead, which was refused.
        refusal: Why, in one sentence.
    """
    return (
        f'<section class="settings">{_render_choice(settings, readers, choice, typed or {}, refusal)}'
        f'<h2>What leaves this machine</h2><p class="leaving">{escape(leaving(settings, readers, choice))}</p>'
        f"{_render_table(settings)}</section>"
    )


def _render_choice(settings: Settings, readers: Readers, choice: Choice, typed: Mapping[str, str], refusal: str) -> str:
    values: dict[str, str] = {
        "k": str(choice.k or settings.k),
        "strictness": choice.strictness or settings.strictness,
        "reader": choice.reader or readers.default or "",
    }
    values.update(typed)
    words: dict[str, str] = {
        name: f"{STRICTNESS_WORDS[name]}{_set(name, settings.strictness)}" for name in STRICTNESSES
    }
    fields = _render_k(values["k"], settings.k, wrong=bool(refusal))
    if readers.offered:
        fields += _select("strictness", "How sure before it answers", words, values["strictness"])
    if len(readers.offered) > 1:
        names: dict[str, str] = {name: f"{READER_WORDS[name]}{_set(name, readers.default)}" for name in readers.offered}
        fields += _select("reader", "What answers", names, values["reader"])
    alert = f'<p class="notice" role="alert" id="refused">{escape(refusal)}</p>' if refusal else ""
    said = f"Your next question: {escape(in_words(choice))}." if choice != AS_SET else "All as set for everybody."
    clear = '<button type="button" class="clear">As set for everybody</button>' if choice != AS_SET or typed else ""
    return (
        "<h2>Your own questions</h2><p>What you choose holds for what you ask on this page, from the next question "
        f'on; it changes nothing for others.</p><div class="filters"><div class="fields">{fields}</div></div>{alert}'
        f'<p class="chosen"><span role="status">{said}</span> {clear}</p>'
    )


def _render_k(value: str, default: int, *, wrong: bool) -> str:
    told = ' aria-invalid="true" aria-describedby="refused"' if wrong else ' aria-describedby="k-hint"'
    return (
        f'<div><label><span>Passages shown, 1 to {MAX_K}</span><input type="text" inputmode="numeric" name="k"'
        f' maxlength="20" autocomplete="off" value="{escape(value)}"{told}></label>'
        f'<small id="k-hint">{default} as set; the {N_READ} best are read, however many are shown</small></div>'
    )


def _select(name: str, label: str, words: Mapping[str, str], chosen: str) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{escape(said)}</option>'
        for value, said in words.items()
    )
    return f'<label><span>{label}</span><select name="{name}">{options}</select></label>'


def _set(name: str, default: str | None) -> str:
    return " (as set)" if name == default else ""


def _render_table(settings: Settings) -> str:
    rows = "".join(
        f'<tr><th scope="row">{meaning}</th><td><code>{escape(str(getattr(settings, name)))}</code></td>'
        f"<td><code>BYLINE_{name.upper()}</code></td></tr>"
        for name, meaning in MEANINGS.items()
    )
    return (
        "<h2>How it is set for everybody</h2>"
        "<p>These hold for everybody who uses this page. Change one by its variable, and start the page again.</p>"
        '<table><thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Variable</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _is_here(settings: Settings) -> bool:
    """Say whether the language model runs on this machine, as far as its address tells."""
    if settings.llm_model is None:
        return False  # an LLM of LlamaIndex that was brought along: nobody but its maker knows
    if settings.llm_provider == "gguf":
        return True
    if settings.llm_base_url is None:
        return settings.llm_provider == "ollama"
    return urlsplit(settings.llm_base_url).hostname in LOOPBACK


def _model_in_words(settings: Settings) -> str:
    if settings.llm_model is None:
        return "the language model that this page was started with"
    own = {"openai": "OpenAI", "anthropic": "Anthropic"}.get(settings.llm_provider, "its provider")
    place = own if settings.llm_base_url is None else "the address that BYLINE_LLM_BASE_URL names"
    return f"the language model “{clipped(settings.llm_model, MODEL_CHARS)}” at {place}"
