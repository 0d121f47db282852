from datetime import date

import pytest

from corpus.errors import ArticleFormatError
from corpus.load_html import MAX_HTML_BYTES, load_html
from corpus.normalise import normalise_text

BODY = """<h1>Council backs late ferry</h1><p>The harbour council voted 7 to 2 on Tuesday to add a late ferry.</p>
<h2>What it costs</h2><p>“We waited nine years,” said Anna Bråten.</p>
<ul><li>Adults pay four euros.</li><li>Children ride free.</li></ul>"""
HEAD = "<title>Council backs late ferry</title>"


def page(body=BODY, head=HEAD):
    start = f"<!doctype html><html lang='en'><head>{head}</head><body><nav>Home | News</nav>"
    return f"{start}<article>{body}</article></body></html>".encode()


def text_of(data, **facts):
    return normalise_text(load_html(data, **facts).text)


def test_load_html_keeps_headings_paragraphs_and_lists():
    assert text_of(page()).endswith(
        "The harbour council voted 7 to 2 on Tuesday to add a late ferry.\n\n## What it costs\n\n"
        "“We waited nine years,” said Anna Bråten.\n\n- Adults pay four euros.\n- Children ride free."
    )


def test_load_html_reads_the_facts():
    head = f"""{HEAD}<meta property="og:site_name" content="Harbour News"><meta name="author" content="Ida Roos">
    <link rel="canonical" href="https://example.com/a">
    <meta property="article:published_time" content="2026-02-03T23:30:00-08:00">"""
    draft = load_html(page(head=head))
    assert (draft.title, draft.source, draft.author) == ("Council backs late ferry", "Harbour News", "Ida Roos")
    assert (draft.url, draft.published, draft.language) == ("https://example.com/a", date(2026, 2, 3), "en")


def test_load_html_takes_the_outlet_off_the_title():
    head = '<title>Council backs late ferry | Harbour News</title><meta property="og:site_name" content="Harbour News">'
    assert load_html(page(body=BODY.split("</h1>")[1], head=head)).title == "Council backs late ferry"


JSON_LD = """<script type="application/ld+json">{"@graph": [{
    "@type": "NewsArticle", "datePublished": "2026-02-03T09:00:00+01:00", "author": [{"name": "Ida Roos"}],
    "articleBody": "The council voted 7 to 2 on Tuesday."}]}</script>"""


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (JSON_LD, None),
        ('<meta name="parsely-pub-date" content="2026-02-03T09:00:00Z">', None),
        ('<meta itemprop="datePublished" content="2026-02-03">', None),
        ('<link rel="canonical" href="https://example.com/2026/02/03/ferry">', None),
        ("", "https://example.com/news/2026/2/3/ferry.html"),
    ],
    ids=["json-ld", "meta", "itemprop", "canonical", "address"],
)
def test_load_html_takes_the_day_that_is_stated(head, url):
    assert load_html(page(head=HEAD + head), url=url).published == date(2026, 2, 3)


def test_load_html_reads_a_marked_time_element():
    body = f'<time class="entry-date" datetime="2026-02-03T09:00">yesterday</time>{BODY}'
    assert load_html(page(body=body)).published == date(2026, 2, 3)


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:modified_time" content="2026-02-03">',
        '<meta name="date" content="sometime in May">',
        '<script type="application/ld+json">{broken "datePublished": "2026-02-03"}</script>',
    ],
    ids=["modified", "vague", "broken"],
)
def test_load_html_never_guesses_a_day(head):
    body = f"{BODY}<p>On 3 February 2026 the council met. © 2025 Harbour News, updated 2026-01-01.</p>"
    assert load_html(page(head=HEAD + head, body=body)).published is None


def test_load_html_falls_back_on_the_body_in_json_ld():
    draft = load_html(
        f"<!doctype html><html><head>{HEAD}{JSON_LD}</head><body><div id=root></div></body></html>".encode()
    )
    assert draft.text == "The council voted 7 to 2 on Tuesday."
    assert draft.author == "Ida Roos"


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display: none'>SECRET orders for the reader of this page.</p>",
        "<p style='font-size:0'>SECRET orders for the reader of this page.</p>",
        "<div hidden><p>SECRET orders for the reader of this page.</p></div>",
        "<style>.x, #y {display:none}</style><p class='a x'>SECRET orders for the reader of this page.</p>",
        "<template><p>SECRET orders for the reader of this page.</p></template>",
        "<!-- SECRET orders for the reader of this page. -->",
        "<script>document.write('SECRET orders for the reader of this page.')</script>",
    ],
    ids=["display", "size", "attribute", "rule", "template", "comment", "script"],
)
def test_load_html_leaves_out_what_is_hidden(hidden):
    text = text_of(page(body=BODY.replace("<h2>", f"{hidden}<h2>")))
    assert "SECRET" not in text
    assert "What it costs" in text


@pytest.mark.parametrize(
    "style",
    [
        "<style>@media print {.story {display: none}}</style>",
        "<style>.story {display:none} .story {display:block}</style>",
        "",
    ],
    ids=["print", "overruled", "whole"],
)
def test_load_html_keeps_what_readers_see(style):
    whole = "" if style else "display:none"
    body = f"{style}<div class='story' style='{whole}'>{BODY}</div>"
    assert "voted 7 to 2" in text_of(page(body=body))


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
def test_load_html_reads_the_character_set_it_declares(charset):
    russian = "<p>Министр заявил, что новый закон вступит в силу в январе.</p>" * 2
    data = page(body=russian, head=f"<meta charset={charset}>{HEAD}").decode().encode(charset)
    assert "вступит в силу" in text_of(data)


def test_load_html_reads_a_fragment():
    assert text_of(b"<p>The council met on Monday and voted.</p>") == "The council met on Monday and voted."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body><nav>Home | News | Sport</nav><footer>2026 Cookies</footer></body></html>", "no article"),
        (b"<html><body><div id=root></div><script>x='The council voted 7 to 2.'</script></body></html>", "no article"),
        (page(head='<link rel="canonical" href="https://example.com/search?hl=en&q=ferry">'), "search results"),
        (b"<html><body>" + b"<p>a</p>" * 40_000, "elements"),
        (b"<html><body><p " + b"a=1 " * 100_000 + b">The council met today.</p>", "no HTML"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"<" + b" " * MAX_HTML_BYTES, "larger than"),
    ],
    ids=["boilerplate", "script", "search", "elements", "attributes", "binary", "size"],
)
@pytest.mark.timeout(20)
def test_load_html_says_why_a_page_is_refused(data, reason):
    with pytest.raises(ArticleFormatError, match=reason):
        load_html(data)


def test_load_html_leaves_the_remarks_of_its_libraries_out_of_the_log(caplog):
    with pytest.raises(ArticleFormatError):
        load_html(b"<html><head><title></title></head><body></body></html>")
    assert caplog.records == []
