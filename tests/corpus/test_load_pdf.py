from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter

from corpus.errors import ArticleFormatError
from corpus.load_pdf import load_pdf

canvas = pytest.importorskip("reportlab.pdfgen.canvas")

LINES = [
    "Council backs late ferry",
    "",
    "The harbour council voted 7 to 2 on Tuesday to add a late fer-",
    "ry from 1 March.",
]


def pdf(pages=(LINES,), **facts):
    file = BytesIO()
    sheet = canvas.Canvas(file, **facts.pop("options", {}))
    for name, value in facts.items():
        getattr(sheet, f"set{name.title()}")(value)
    for lines in pages:
        for number, line in enumerate(lines):
            sheet.drawString(72, 750 - 16 * number, line)
        sheet.showPage()
    sheet.save()
    return file.getvalue()


def rewritten(data, change):
    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    change(writer)
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def test_load_pdf_reads_flowing_text():
    draft = load_pdf(pdf())
    assert draft.text == f"{LINES[0]}\n\nThe harbour council voted 7 to 2 on Tuesday to add a late ferry from 1 March."
    assert draft.published is None


def test_load_pdf_believes_properties_that_fit():
    draft = load_pdf(pdf(title="Council backs late ferry", author="Ida Roos"))
    assert (draft.title, draft.author) == ("Council backs late ferry", "Ida Roos")


@pytest.mark.parametrize("title", ["Microsoft Word - ferry_v2.docx", "untitled", "Council", "Tax return of my aunt"])
def test_load_pdf_doubts_properties_that_do_not(title):
    draft = load_pdf(pdf(title=title, author="user01"))
    assert (draft.title, draft.author) == (None, None)


def test_load_pdf_reads_many_pages_without_their_running_heads():
    text = load_pdf(pdf([["Harbour News", f"The council voted again in round {n}.", str(n)] for n in range(1, 6)])).text
    assert text.count("The council voted") == 5
    assert "Harbour News" not in text


def test_load_pdf_opens_what_only_restricts_printing():
    data = rewritten(pdf(), lambda writer: writer.encrypt("", "owner", algorithm="RC4-128"))
    assert "voted 7 to 2" in load_pdf(data).text


PAGES_IN_A_LOOP = (
    b"%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
    b"2 0 obj <</Type/Pages/Kids[2 0 R]/Count 1>> endobj\ntrailer <</Root 1 0 R>>"
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (rewritten(pdf(), lambda writer: writer.encrypt("secret", algorithm="RC4-128")), "password"),
        (pdf([[]]), "no text layer"),
        (pdf()[:400], "damaged"),
        (b"%PDF-1.4\n", "damaged"),
        (PAGES_IN_A_LOOP, "damaged"),
        (pdf([[]] * 2_001), "2,001 pages"),
    ],
    ids=["password", "scan", "half", "head", "loop", "pages"],
)
def test_load_pdf_says_why_a_file_is_refused(data, reason):
    with pytest.raises(ArticleFormatError, match=reason):
        load_pdf(data)


@pytest.mark.timeout(60)
def test_load_pdf_gives_up_on_pages_that_take_too_long(monkeypatch):
    monkeypatch.setattr("corpus.load_pdf.BASE_SECONDS", 0.0)
    monkeypatch.setattr("corpus.load_pdf.SECONDS_PER_PAGE", 0.0)
    with pytest.raises(ArticleFormatError, match="too long"):
        load_pdf(pdf())
