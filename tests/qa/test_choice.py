"""What a visitor may choose for their own questions, and that the choice reaches the reader."""

import pytest

from corpus.errors import SettingsError
from corpus.load import bundled_articles
from qa.byline import Byline
from qa.choice import AS_SET, Choice
from qa.reader_weights import load_weights
from qa.readers import Readers
from qa.settings import Settings
from qa.views.settings import HERE_ALONE, MODEL_HERE, OWN_READER, in_words, leaving, make_choice, render_settings
from tests.doubtful import doubtful_question
from tests.fakes import FakeEmbedder, FakeReader
from tests.fakes_llm import ScriptedLLM

QUESTION = "Who is Britain's prime minister?"
OPENAI = Settings(llm_model="small-<1>")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def byline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    with Byline(folder, Settings(library=folder)) as opened:
        opened.add(bundled_articles())
        yield opened


def test_strictness_chosen_for_a_question_declines_what_is_doubtful_and_shows_in_the_fingerprint(byline):
    question = doubtful_question()
    usual = byline.ask(question)
    strict = byline.asker(Choice(strictness="strict")).ask(question)
    assert (usual.abstained, strict.abstained) == (False, True)
    assert usual.confidence == strict.confidence and usual.settings != strict.settings
    assert byline.ask(question).settings == usual.settings  # nobody else's changed


def test_k_chosen_shows_so_many_passages_and_has_the_fingerprint_of_a_library_set_so(byline):
    few = byline.asker(Choice(k=2)).ask(QUESTION)
    assert len(few.hits) == 2 and len(byline.ask(QUESTION).hits) > 2
    assert few.settings == byline.asker(Choice(k=2, strictness="balanced")).ask(QUESTION).settings
    assert few.settings != byline.ask(QUESTION).settings


def test_readers_of_every_strictness_share_one_network(byline):
    lenient, strict = (byline.readers.get(strictness=name) for name in ("lenient", "strict"))
    assert lenient._network is strict._network and lenient is byline.readers.get("extractive", "lenient")


def test_a_reader_chosen_beside_a_language_model_sends_it_nothing(tmp_path):
    llm = ScriptedLLM(texts=["The model was asked."], prompts=[])
    with Byline(tmp_path, Settings(library=tmp_path), embedder=FakeEmbedder(), llm=llm) as opened:
        opened.add(bundled_articles())
        assert (opened.readers.default, opened.readers.offered) == ("llm", ("extractive", "llm"))
        answer = opened.asker(Choice(reader="extractive")).ask(
            "Which journalist uncovered the deportation of an Iraqi man to Rwanda?"
        )
        assert answer.reader == "extractive" and llm.prompts == []
        assert (
            opened.ask("Which journalist uncovered the deportation of an Iraqi man to Rwanda?").reader == "llm"
            and len(llm.prompts) == 1
        )


def test_a_language_model_that_is_named_may_be_chosen_and_one_that_is_not_says_how():
    assert Readers(OPENAI).offered == ("extractive", "llm") and Readers(Settings()).offered == ("extractive",)
    reader = Readers(OPENAI).get("llm", "strict")
    assert reader.name == "llm" and f"{load_weights().thresholds['strict']:g}" in reader.fingerprint
    with pytest.raises(SettingsError, match="No language model is named. Set BYLINE_LLM_MODEL"):
        Readers(Settings()).get("llm")


def test_a_reader_that_was_brought_along_is_the_only_one():
    own = FakeReader()
    readers = Readers(Settings(), reader=own)
    assert readers.get() is own and readers.offered == () and leaving(Settings(), readers) == OWN_READER
    with pytest.raises(SettingsError, match="a reader of its own, beside which none can be chosen"):
        readers.get("extractive")
    assert "<select" not in render_settings(Settings(), readers)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": 0}, "An answer cannot show 0 passages. Choose a number from 1 to 100."),
        ({"k": 1000}, "An answer cannot show 1,000 passages"),
        ({"strictness": "harsh"}, "There is no strictness 'harsh'. Choose one of lenient, balanced, strict."),
        ({"reader": "oracle"}, "There is no reader 'oracle'. Choose one of extractive, llm."),
    ],
)
def test_a_value_out_of_its_range_is_refused_in_one_sentence(values, message):
    with pytest.raises(SettingsError, match=message):
        Choice(**values)


def test_make_choice_reads_the_fields_and_keeps_what_is_as_set():
    readers = Readers(OPENAI)
    assert (
        make_choice({}, OPENAI, readers) == make_choice({"k": "10", "reader": "extractive"}, OPENAI, readers) == AS_SET
    )
    fields = {"k": " 3 ", "strictness": "strict", "reader": "llm"}
    assert make_choice(fields, OPENAI, readers) == Choice(3, "strict", "llm")
    assert in_words(Choice(1, "strict", "llm")) == "strict, 1 passage shown, reader llm" and in_words(AS_SET) == ""


@pytest.mark.parametrize("typed", ["ten", "-1", "2.5", "0", "101", "1e9", "９", "9" * 5000])
def test_make_choice_refuses_what_is_no_number_of_passages(typed):
    with pytest.raises(SettingsError, match=r"from 1 to 100\.$"):
        make_choice({"k": typed}, Settings(), Readers(Settings()))


def test_make_choice_refuses_a_reader_that_is_not_offered():
    with pytest.raises(SettingsError, match="There is no reader 'llm' to choose here"):
        make_choice({"reader": "llm"}, Settings(), Readers(Settings()))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, HERE_ALONE),
        ({"reader": "llm", "llm_provider": "gguf"}, MODEL_HERE),
        ({"reader": "llm", "llm_provider": "ollama"}, MODEL_HERE),
        ({"reader": "llm", "llm_base_url": "http://[::1]:8080/v1"}, MODEL_HERE),
        ({"reader": "llm"}, "sent to the language model “m” at OpenAI. Nothing else"),
        (
            {"reader": "llm", "llm_base_url": "https://ai.example/v1"},
            "“m” at the address that BYLINE_LLM_BASE_URL names",
        ),
    ],
)
def test_what_leaves_the_machine_follows_the_reader(values, line):
    settings = Settings(llm_model="m", **values)
    assert line in leaving(settings, Readers(settings))
    assert leaving(settings, Readers(settings), Choice(reader="extractive")) == HERE_ALONE
    other = leaving(settings, Readers(settings), Choice(reader="llm"))
    assert other != HERE_ALONE and "ai.example" not in other


def test_render_settings_shows_what_was_refused_escaped_and_what_is_chosen():
    readers = Readers(OPENAI)
    html = render_settings(OPENAI, readers, typed={"k": EVIL, "reader": EVIL}, refusal=f"{EVIL} is wrong.")
    assert "<img" not in html and 'aria-invalid="true"' in html and 'role="alert"' in html
    chosen = render_settings(OPENAI, readers, Choice(3, "strict", "llm"))
    assert "Your next question: strict, 3 passages shown, reader llm." in chosen and "small-&lt;1&gt;" in chosen
    assert '<option value="strict" selected>' in chosen and 'value="3"' in chosen
