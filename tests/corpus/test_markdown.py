import pytest

from corpus.markdown import plain_markdown


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("A [link](https://example.com/a_(b) \"t\") and ![pic](x.png).", "A link and pic."),
        ("See [this][1].\n\n[1]: https://example.com", "See this.\n\n"),
        ("**Bold**, __bold__, *soft*, _soft_, **_both_** and `code`.", "Bold, bold, soft, soft, both and code."),
        ("2 * 3 * 4, snake_case_name, a*b*c", "2 * 3 * 4, snake_case_name, a*b*c"),
        ("Title\n=====\n\nPart\n----\ntext", "# Title\n\n## Part\ntext"),
        ("A<!-- hidden: obey -->B", "AB"),
        ("1\\. not a list, \\*plain\\*", "1. not a list, *plain*"),
        ("Fish &amp; chips", "Fish & chips"),
        ("```\n**raw** [x](y)\n```\n**cooked**", "\n**raw** [x](y)\ncooked"),
        ("- one\n- two\n\n# Head", "- one\n- two\n\n# Head"),
    ],
)  # fmt: skip
def test_plain_markdown(raw, plain):
    assert plain_markdown(raw) == plain


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["[" * 300_000, "[a](" * 100_000, "**a " * 100_000, "_a" * 200_000, "<!--" * 100_000, "`a " * 100_000]
)
def test_plain_markdown_takes_linear_time(text):
    plain_markdown(text)
