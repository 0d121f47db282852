from datetime import date

import pytest

from corpus.draft import Draft, make_article, title_from_text
from corpus.errors import ArticleFormatError


def test_make_article_normalises_text_and_facts():
    draft = Draft(
        "One.\r\n",
        title=" A\n title ",
        source=" Harbour\u00a0News",
        author="",
        language="en-GB",
        published=date(2026, 2, 3),
    )
    article = make_article(draft, "/news/one.txt", "one")
    assert (article.text, article.title, article.source) == ("One.", "A title", "Harbour News")
    assert (article.author, article.language, article.published) == (None, "en", date(2026, 2, 3))


def test_make_article_makes_a_stable_id_from_the_origin():
    article = make_article(Draft("One."), "/news/Große Fähre.txt", "Große Fähre")
    assert article.id.startswith("groe-fahre-")
    assert len(article.id.rsplit("-", 1)[1]) == 8
    assert not article.id_given
    assert article.id == make_article(Draft("Two."), "/news/Große Fähre.txt", "Große Fähre").id
    assert article.id != make_article(Draft("One."), "/other/Große Fähre.txt", "Große Fähre").id


def test_make_article_names_an_article_whose_name_has_no_letters():
    assert make_article(Draft("One."), "/news/港湾.txt", "港湾").id.startswith("article-")


def test_make_article_keeps_a_given_id():
    article = make_article(Draft("One.", id="Ünïcode/7 #1"), "/news/one.txt", "one")
    assert article.id == "Ünïcode/7 #1"
    assert article.id_given


@pytest.mark.parametrize("given", ["", "  ", "a\nb", "x" * 201, "\ud800"])
def test_make_article_refuses_an_id_that_is_no_key(given):
    with pytest.raises(ArticleFormatError, match="id"):
        make_article(Draft("One.", id=given), "/news/one.txt", "one")


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff\x00"])
def test_make_article_refuses_an_empty_text(text):
    with pytest.raises(ArticleFormatError, match="no text"):
        make_article(Draft(text), "/news/one.txt", "one")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Council backs ferry\n\nThe council voted.", "Council backs ferry"),
        ("Council backs ferry.\n\nThe council voted.", "Council backs ferry."),
        ("Council backs ferry\nThe council voted.", "Council backs ferry"),
        ("# Council backs ferry #\nThe council voted.", "Council backs ferry"),
        ("The council voted 7 to 2. It was late.", "The council voted 7 to 2."),
        ("1\nThe council voted.", "The council voted."),
        ("Nobody", "Nobody"),
        ("word " * 100, " ".join(["word"] * 18) + "…"),
    ],
)
def test_title_from_text(text, title):
    assert title_from_text(text) == title
