"""Take out of a page what its readers do not see, so that hidden text is neither indexed nor cited."""

import re
from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]
from lxml.html import HtmlElement  # type: ignore[import-untyped]

_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0(?:\.0+)?(?:px|r?em|%|pt)?\s*(?:;|!|\Z)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")
_NAME = re.compile(r"[.#][\w-]+")
_UNSEEN = frozenset({"script", "style", "template"})

# Some pages hide all they hold until a script has run: what has this share of the text is not hidden from readers.
_MAX_HIDDEN_SHARE = 0.5


def drop_hidden(tree: HtmlElement) -> None:
    """Remove the elements that an attribute, an inline style or a plain style rule of the page hides."""
    names = _hidden_names(tree)
    limit = _MAX_HIDDEN_SHARE * _text_chars(tree)
    for element in list(tree.iter(etree.Element)):
        if element.getparent() is not None and _is_hidden(element, names) and _text_chars(element) < limit:
            element.drop_tree()


def _is_hidden(element: HtmlElement, names: set[str]) -> bool:
    if "hidden" in element.attrib or element.tag == "template" or _HIDING.search(element.get("style", "")):
        return True
    return bool(names) and not names.isdisjoint(
        {f"#{element.get('id', '')}", *(f".{name}" for name in element.get("class", "").split())}
    )


def _hidden_names(tree: HtmlElement) -> set[str]:
    """Return the classes and ids (`.name`, `#name`) that rules for every screen hide; the last rule counts."""
    names: set[str] = set()
    for style in tree.iter("style"):
        for selectors, body in _rules(_COMMENT.sub("", style.text or "")):
            plain = {selector.strip() for selector in selectors.split(",") if _NAME.fullmatch(selector.strip())}
            names = names | plain if _HIDING.search(body) else names - plain if "display" in body else names
    return names


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield (selectors, declarations) outside @media and the like, which may speak of print alone."""
    depth = start = 0
    selectors = ""
    for brace in re.finditer(r"[{}]", css):
        if brace[0] == "{":
            depth += 1
            if depth == 1:
                selectors, start = css[start : brace.start()].rpartition(";")[2].strip(), brace.end()
        elif depth:
            depth -= 1
            if depth == 0:
                if not selectors.startswith("@"):
                    yield selectors, css[start : brace.start()]
                start = brace.end()


def _text_chars(element: HtmlElement) -> int:
    return sum(
        len((part.text or "").strip()) + len((part.tail or "").strip()) if part.tag not in _UNSEEN else 0
        for part in element.iter(etree.Element)
    )
