from datetime import date

import pytest

from corpus.load_md import load_md

FRONT = """---
id: 007
title: "Council: a late ferry"
outlet: Harbour News
url: https://example.com/a
date: 2026-02-03
author: [Ida Roos, "A. Holt"]
language: en
tags: [a, b]
---

# Late ferry

The council **voted** [7 to 2](https://example.com/vote).
"""


def test_load_md_reads_front_matter_and_plain_text():
    draft = load_md(FRONT.encode())
    assert draft.text.strip() == "# Late ferry\n\nThe council voted 7 to 2."
    assert (draft.id, draft.title, draft.source) == ("007", "Council: a late ferry", "Harbour News")
    assert (draft.url, draft.published) == ("https://example.com/a", date(2026, 2, 3))
    assert (draft.author, draft.language) == ("Ida Roos, A. Holt", "en")


def test_load_md_takes_the_first_heading_for_a_title():
    assert load_md(b"Intro.\n\n## Late ferry ##\n\nText.").title == "Late ferry"
    assert load_md(b"Just text.").title is None


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ('title: "unclosed\n  - [}', "unclosed"),
        ("title: Ferry: a vote\nsource: X", "Ferry: a vote"),
        ("- a\n- b", None),
        ("just words", None),
        ("title:\n  deep: {er: 1}", None),
        ("", None),
    ],
    ids=["unclosed", "colon", "list", "words", "nested", "empty"],
)
def test_load_md_keeps_the_text_whatever_the_front_matter(front, title):
    draft = load_md(f"---\n{front}\n---\n\nThe council voted.\n".encode())
    assert draft.text.strip() == "The council voted."
    assert draft.title == title


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "front",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "{" * 15_000,
        "- " * 7_000,
        "a: b\n" * 100_000,
    ],
    ids=["aliases", "braces", "lists", "long"],
)
def test_load_md_bounds_hostile_front_matter(front):
    assert load_md(f"---\n{front}\n---\n\nThe council voted.\n".encode()).text.strip() == "The council voted."


def test_load_md_without_an_end_of_front_matter_keeps_everything():
    assert "The council voted." in load_md(b"---\ntitle: x\n\nThe council voted.").text
