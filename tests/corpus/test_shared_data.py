"""Figures over the shared data sets: what is measured is shown, and must not fall below a floor."""

import gzip
import json
import re
import time
from collections import Counter

import pysbd
import pytest

from corpus.load import load_sources
from corpus.load_html import load_html
from corpus.normalise import normalise_text
from corpus.sentences import split_sentences
from corpus.types import Article, LoadFailure
from tests.corpus.conftest import SHARED


def rows(path):
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file]


def ends_of(text, ends):
    """Return sentence ends as numbers of non-blank characters before them, without the end of the text."""
    before = [0]
    for char in text:
        before.append(before[-1] + (not char.isspace()))
    return {before[end] for end in ends} - {before[-1]}


def boundary_scores(items):
    """Return precision and recall of sentence ends over (text, true ends)."""
    right = found = true = 0
    for text, gold_ends in items:
        gold = ends_of(text, gold_ends)
        ours = ends_of(text, [span.end for span in split_sentences(text)])
        right, found, true = right + len(gold & ours), found + len(ours), true + len(gold)
    return right / found, right / true


def test_split_sentences_against_scifact(shared_data, show):
    items = [
        (row["text"], [end for _, end in row["meta"]["sentence_spans"]])
        for row in rows(shared_data / "scifact" / "corpus.jsonl.gz")[:1500]
    ]
    precision, recall = boundary_scores(items)
    show(f"scifact sentence ends: precision {precision:.4f}, recall {recall:.4f}")
    assert precision > 0.985
    assert recall > 0.955


def test_split_sentences_against_clapnq(shared_data, show):
    items = []
    for row in rows(shared_data / "clapnq" / "corpus.jsonl"):
        end, ends = 0, []
        for sentence in row["meta"]["sentences"]:
            end = row["text"].index(sentence, end) + len(sentence)
            ends.append(end)
        items.append((row["text"], ends))
    precision, recall = boundary_scores(items)
    show(f"clapnq sentence ends: precision {precision:.4f}, recall {recall:.4f}")
    assert precision > 0.99
    assert recall > 0.86  # the set's own splitter cuts tables and song titles that nobody would cut


def test_split_sentences_cuts_out_the_evidence_of_news_questions(shared_data, show):
    texts = {row["id"]: row["text"] for row in rows(shared_data / "news_multihop" / "corpus.jsonl.gz")}
    questions = rows(shared_data / "news_multihop" / "queries.jsonl.gz")
    evidence = {(g["doc"], g["start"], g["end"]) for row in questions for g in row.get("gold_spans", ())}
    ours = {
        id: {(span.start, span.end) for span in split_sentences(texts[id])} for id in {doc for doc, _, _ in evidence}
    }
    starts = sum(any(start == s for s, _ in ours[doc]) for doc, start, _ in evidence) / len(evidence)
    ends = sum(any(end == e for _, e in ours[doc]) for doc, _, end in evidence) / len(evidence)
    show(f"news evidence, {len(evidence)} spans: starts {starts:.4f}, ends {ends:.4f}")
    assert min(starts, ends) > 0.99


def test_split_sentences_against_pysbd_on_news(shared_data, show):
    oracle = pysbd.Segmenter(language="en", clean=False, char_span=True)
    items = []
    for row in rows(shared_data / "news_multihop" / "corpus.jsonl.gz")[:15]:
        for line in row["text"].split("\n"):
            if "“" not in line and '"' not in line:  # pysbd never cuts inside quotation marks; we do, so that each
                ends = [span.start + len(span.sent.rstrip()) for span in oracle.segment(line)]  # sentence is citable
                items.append((line, ends))
    precision, recall = boundary_scores(items)
    show(f"pysbd on news lines without quotations: precision {precision:.4f}, recall {recall:.4f}")
    assert precision > 0.96
    assert recall > 0.96


def awkward():
    manifest = SHARED / "data" / "awkward_files" / "manifest.jsonl"
    return rows(manifest) if manifest.is_file() else []


@pytest.mark.timeout(10)
@pytest.mark.parametrize("entry", awkward(), ids=lambda entry: entry["file"][:60])
def test_load_sources_takes_every_awkward_file(entry, shared_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = time.monotonic()
    loaded = list(load_sources([shared_data / "awkward_files" / entry["file"]]))
    assert time.monotonic() - started < 10
    assert not list(tmp_path.iterdir())
    assert loaded
    for item in loaded:
        assert isinstance(item, Article | LoadFailure)
        if isinstance(item, LoadFailure):
            assert re.fullmatch(r"[^\n]+\.", item.reason)
        else:
            assert normalise_text(item.text) == item.text
            assert "HACKED" not in item.text


FERRY = "Harbour council approves ferry timetable"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("made_cp1252.txt", "Bråten — the crossing will cost €4.50"),
        ("made_utf8_bom.txt", "Bråten — the crossing will cost €4.50"),
        ("made_utf16_bom.txt", "Bråten — the crossing will cost €4.50"),
        ("made_mixed_invalid.txt", "Bråten — the crossing will cost €4.50"),
        ("made_nul_bytes.txt", FERRY),
        ("made_name with spaces & ünïcode 🛳.txt", FERRY),
        ("made_pdf_named.txt", "Hello, here is some text without a meaning."),
        ("made_bad_front_matter.md", "The council voted 7 to 2."),
        ("made_yaml_bomb.md", "The council voted 7 to 2."),
        ("made_hidden_injection.html", "Bråten — the crossing will cost €4.50"),
        ("made_xss.html", "The council voted 7 to 2."),
        ("charset_sample-turkish.txt", "İstanbul, Türkiye'nin"),
        ("charset_sample-russian.txt", "В гимназии он не был"),
        ("charset_sample-hebrew-2.txt", "אין כמעט ניבים אזוריים"),
        ("pypdf_multicolumn.pdf", "Two-Column Document with Lorem Ipsum"),
    ],
)
def test_load_sources_reads_what_awkward_files_hold(shared_data, name, words):
    (article,) = load_sources([shared_data / "awkward_files" / "files" / name])
    assert isinstance(article, Article)
    assert words in article.text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("made_empty.pdf", "empty"),
        ("made_whitespace.txt", "no text"),
        ("made_only_boilerplate.html", "no article"),
        ("made_script_only.html", "no article"),
        ("markitdown_test_serp.html", "search results"),
        ("made_page_loop.pdf", "damaged"),
        ("made_truncated.pdf", "damaged"),
        ("pypdf_libreoffice-writer-password.pdf", "password"),
        ("markitdown_MEDRPT-2024-PAT-3847_medical_report_scan.pdf", "no text layer"),
        ("made_bomb_150mb.docx", "not read"),
        ("made_noextension", "not read"),
    ],
)
def test_load_sources_refuses_awkward_files(shared_data, name, reason):
    (failed,) = load_sources([shared_data / "awkward_files" / "files" / name])
    assert isinstance(failed, LoadFailure)
    assert reason in failed.reason


def test_load_html_finds_the_facts_of_awkward_pages(shared_data):
    for name in ("made_jsonld_article.html", "made_meta_dates.html"):
        (article,) = load_sources([shared_data / "awkward_files" / "files" / name])
        assert (str(article.published), article.author) == ("2026-02-03", "Ida Roos")


def shingles(text):
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[n : n + 4]) for n in range(max(1, len(words) - 3)))


@pytest.mark.slow
def test_load_html_against_hand_made_bodies(shared_data, show):
    """4-gram shingles of words, precision and recall averaged over pages, as the set's own metric does."""
    folder = shared_data / "html_articles"
    scores = []
    for row in rows(folder / "gold.jsonl"):
        text = normalise_text(load_html(gzip.decompress((folder / row["file"]).read_bytes()), url=row["url"]).text)
        ours, gold = shingles(text), shingles(row["text"])
        right = (ours & gold).total()
        scores.append((right / ours.total(), right / gold.total()))
    precision, recall = (sum(side) / len(scores) for side in zip(*scores, strict=True))
    f1 = 2 * precision * recall / (precision + recall)
    show(f"html_articles, {len(scores)} pages: precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f}")
    assert f1 > 0.96


@pytest.mark.slow
def test_load_html_against_probe_strings_and_facts(shared_data, show):
    folder = shared_data / "html_snippets"
    has = must = has_not = must_not = dated = right_days = wrong_days = 0
    for row in rows(folder / "gold.jsonl"):
        draft = load_html(gzip.decompress((folder / row["file"]).read_bytes()), url=row["url"])
        text = normalise_text(draft.text)
        must, has = must + len(row["must_have"]), has + sum(probe in text for probe in row["must_have"])
        must_not += len(row["must_not_have"])
        has_not += sum(probe not in text for probe in row["must_not_have"])
        dated += bool(row["published"])
        right_days += draft.published is not None and str(draft.published) == row["published"]
        wrong_days += draft.published is not None and str(draft.published) != row["published"]
    show(
        f"html_snippets: has {has}/{must}, has not {has_not}/{must_not}, days {right_days}/{dated}, wrong {wrong_days}"
    )
    assert has / must > 0.95
    assert has_not / must_not > 0.95
    assert right_days / dated > 0.7
    assert wrong_days == 0  # a day that is shown must be the stated one
