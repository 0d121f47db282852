"""The tree trafilatura returns -> text: headings, paragraphs, list items and table rows on lines of their own."""

from collections.abc import Iterator

from lxml.etree import _Element  # type: ignore[import-untyped]

_PARAGRAPHS = frozenset({"p", "quote", "list", "table", "head", "div", "main", "body"})
_LINES = frozenset({"item", "row", "lb"})
_DROPPED = frozenset({"graphic", "del"})


def body_text(body: _Element) -> str:
    """Return the text below `body`: Markdown headings, a blank line between paragraphs, "- " before list items."""
    paragraphs = "".join(_pieces(body)).split("\f")
    lines = [[" ".join(line.split()).removesuffix(" |") for line in part.split("\v")] for part in paragraphs]
    return "\n\n".join("\n".join(line for line in part if line.strip("- ")) for part in lines if any(part))


def _pieces(element: _Element) -> Iterator[str]:
    """Yield text in which a form feed ends a paragraph and a vertical tab a line; other blanks mean nothing yet."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _DROPPED:  # comments have a function for a tag
        return
    yield _opening(element, tag)
    inner = "".join([_plain(element.text), *(piece for child in element for piece in _child_pieces(child))])
    if tag == "cell":
        inner = " ".join(inner.split())
        yield f"{inner} | " if inner else ""
    else:
        yield inner.replace("\n", "\v") if tag == "code" else inner
    yield "\f" if tag in _PARAGRAPHS else "\v" if tag in _LINES else ""


def _child_pieces(child: _Element) -> Iterator[str]:
    yield from _pieces(child)
    yield _plain(child.tail)


def _opening(element: _Element, tag: str) -> str:
    if tag == "head":
        level = element.get("rend", "")[1:2]
        return f"\f{'#' * int(level) if level and level in '123456' else '##'} "
    return {"item": "\v- ", "row": "\v"}.get(tag, "\f" if tag in _PARAGRAPHS else "")


def _plain(text: str | None) -> str:
    return (text or "").replace("\f", " ").replace("\v", " ")
