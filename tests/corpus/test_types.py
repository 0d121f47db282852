"""Hashes of articles are stored in libraries: they must never change."""

import hashlib
import json
from datetime import date

import pytest

from corpus.types import NORMALISER_VERSION, Article

FACTS = {"source": 'The "Echo", [2]', "url": "https://example.org", "published": date(2025, 5, 6), "author": "é 🙂"}


def _hash_of(facts):
    return "sha256:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@pytest.mark.parametrize("title", ["Plain", 'A "quote" ], [', "Größe 🙂"])
@pytest.mark.parametrize("facts", [{}, FACTS], ids=["bare", "all"])
def test_an_articles_hashes_are_those_of_its_facts_as_json(title, facts):
    article = Article(id="a", title=title, text='Text\n"and" \\ more 🙂 ], [', language="en", **facts)
    content = _hash_of([NORMALISER_VERSION, article.text])
    day = article.published.isoformat() if article.published else None
    rest = [article.source, article.url, day, article.author, article.language]
    assert article.content_hash == content
    assert article.version == _hash_of([content, NORMALISER_VERSION, article.title, article.text, *rest])
