import pytest

from corpus.decode import decode_text
from corpus.errors import ArticleFormatError

ENGLISH = "The minister’s plan was “rejected”, said Anna Bråten — it costs €4.50. " * 3
GERMAN = "Die Förderung für Außenpolitik wird verlängert. „Das ist schön“, sagte der Minister für Äußeres. " * 3
RUSSIAN = "Министр заявил, что новый закон вступит в силу в январе следующего года. " * 3
JAPANESE = "港湾評議会はフェリーの時刻表を承認した。議員は「九年待った」と述べた。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_decode_text_reads_english_in(encoding):
    assert decode_text(ENGLISH.encode(encoding)) == ENGLISH


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "shift_jis"), (JAPANESE * 3, "euc-jp")],
)
def test_decode_text_recognises_other_code_pages(text, encoding):
    assert decode_text(text.encode(encoding)) == text


def test_decode_text_repairs_damaged_utf8():
    assert decode_text(ENGLISH.encode() + b"\xff\xfe tail") == ENGLISH + "\ufffd\ufffd tail"


def test_decode_text_believes_a_declaration_only_when_it_works():
    assert decode_text("Жизнь".encode("cp866"), declared="cp866") == "Жизнь"
    assert decode_text("café".encode(), declared="us-ascii") != ""
    for wrong in ("no-such-charset", "unicode_escape", "base64", "utf-7", ""):
        assert decode_text("café \\x41".encode(), declared=wrong) == "café \\x41"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04....", "Office"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\x1f\x8b\x08", "gzip"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
def test_decode_text_refuses_what_is_no_text(data, kind):
    with pytest.raises(ArticleFormatError, match=kind):
        decode_text(data)
