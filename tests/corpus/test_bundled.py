"""The bundled articles keep every fact of their sources and none of their sentences."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / ".." / "shared" / "corpus"
ARTICLES = ROOT / "corpus" / "articles"
EARLY, WEEKS = "000_b3813775562cefab", "004_4fcf6599b79a1dae"
SHINGLE_WORDS = 8

FACTS = {
    EARLY: """
        Olivier Nduhungirehe|foreign minister|Rwanda TV|early stage|definitive|less than a year|United Kingdom
        President Donald Trump|second term|undocumented immigrants|noncitizens|Marco Rubio|Secretary of State
        criminal histories|cabinet meeting|television|“the most despicable human beings”|return|Libya|media reports
        prison sentences|stipends|employment|Rwandan society|in March|Iraqi national|hallmark|gang members
        high-security prisons|El Salvador|without due process|Salvadoran citizen|Maryland|“homegrown criminals”
        US citizens|Guantanamo Bay|Cuba|30,000|“the worst criminal aliens”|constitutional due process|second attempt
        asylum seekers|British Supreme Court|November 2023|unlawful|Labour government|July|Keir Starmer|“gimmick”
        £50 million|$66 million|compensation|United Nations High Commissioner for Refugees|UNHCR|persecution or death
        misinformation|not been confirmed""",
    WEEKS: """
        Trump administration|East African|non-Rwandan nationals|Kigali|Washington|logistics|financial compensation
        CBC News|two weeks|offshoring|Marco Rubio|Secretary of State|Cabinet meeting|national television
        former President Donald Trump|“some of the most despicable human beings”
        “the further away from America, the better.”|El Salvador|Mexico|Panama|human rights|2022|United Kingdom
        asylum seekers|political and legal opposition|2024|Keir Starmer|British Prime Minister|formally scrapped
        Iraqi national|independent journalist|Marisa Kabas|Rwandan officials|declining|mediation
        Democratic Republic of Congo|regional peace|mineral trade deals|Massad Boulos|envoy to Africa|father-in-law
        Tiffany Trump|Critics|ethical and legal|displaced|stateless|precedent""",
}
# What one article says and the other must not, or the two stop differing.
ONLY = {
    EARLY: ["early stage", "second term", "July", "Supreme Court", "Labour", "Libya", "in March", "£50 million"],
    WEEKS: ["two weeks", "former President", "2024", "2022", "CBC News", "Marisa Kabas", "Mexico", "Panama"],
}


def _articles():
    found = {}
    for path in sorted(ARTICLES.glob("*.md")):
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        fields = yaml.safe_load(front)
        found[fields["stem"]] = (fields, body.strip())
    return found


def _listed(facts):
    return [fact.strip() for line in facts.strip().splitlines() for fact in line.split("|")]


def _shingles(text, n=SHINGLE_WORDS):
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def _unquoted(text):
    """Split at quotations, so that no shingle reaches into or over one."""
    return re.split(r"“[^”]*”|\"[^\"]*\"", text)


def test_bundled_articles_name_their_sources_and_guess_no_date():
    articles = _articles()
    assert set(articles) == {EARLY, WEEKS}
    for fields, _ in articles.values():
        assert set(fields) == {"id", "title", "source", "language", "stem"}
    assert [fields["id"] for fields, _ in articles.values()] == ["rwanda-early-talks", "rwanda-two-weeks"]


@pytest.mark.parametrize("stem", [EARLY, WEEKS])
def test_bundled_article_keeps_every_fact(stem):
    _, body = _articles()[stem]
    assert [fact for fact in _listed(FACTS[stem]) if fact not in body] == []


@pytest.mark.parametrize(("stem", "other"), [(EARLY, WEEKS), (WEEKS, EARLY)])
def test_bundled_articles_keep_differing(stem, other):
    articles = _articles()
    assert [fact for fact in ONLY[stem] if fact not in articles[stem][1] or fact in articles[other][1]] == []


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the source articles are not here")
def test_bundled_articles_copy_no_sentence():
    copied = set().union(*(_shingles(path.read_text("utf-8")) for path in SOURCES.glob("*.txt")))
    assert copied
    for fields, body in _articles().values():
        for part in [fields["title"], *_unquoted(body)]:
            assert _shingles(part) & copied == set()


def test_shingles_find_a_copied_run():
    text = "one two three four five six seven eight nine"
    assert _shingles("So: One, two three - four five six seven eight!") & _shingles(text)
    assert not _shingles("one two three four five six seven, eight".replace("four", "4")) & _shingles(text)
    assert all(not _shingles(part) for part in _unquoted("He said “one two three four five six seven eight” twice"))
