"""Plain text -> `Draft`."""

from corpus.decode import decode_text
from corpus.draft import Draft


def load_txt(data: bytes) -> Draft:
    """Read plain text; it carries no facts about itself.

    Raises:
        ArticleFormatError: If the bytes are no text.
    """
    return Draft(text=decode_text(data))
