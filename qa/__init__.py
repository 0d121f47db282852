"""Questions answered with proof.

```python
import qa

with qa.open("DIR") as library:
    library.add("articles/")
    answer = library.ask("Who ...?")
```

Importing this package is free: what the names below need is imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.types import Article, Passage, Span
    from index.types import Filters, Hit
    from qa.byline import Byline
    from qa.chats import Chat
    from qa.conversation import Turn
    from qa.settings import Settings
    from qa.types import Abstention, Answer, Citation, Statement, StreamEvent, Support

__version__ = "0.1.0"

_HOMES = {
    "Abstention": "qa.types",
    "Answer": "qa.types",
    "Article": "corpus.types",
    "Byline": "qa.byline",
    "Chat": "qa.chats",
    "Citation": "qa.types",
    "Filters": "index.types",
    "Hit": "index.types",
    "Passage": "corpus.types",
    "Settings": "qa.settings",
    "Span": "corpus.types",
    "Statement": "qa.types",
    "StreamEvent": "qa.types",
    "Support": "qa.types",
    "Turn": "qa.conversation",
}

__all__ = [
    "Abstention",
    "Answer",
    "Article",
    "Byline",
    "Chat",
    "Citation",
    "Filters",
    "Hit",
    "Passage",
    "Settings",
    "Span",
    "Statement",
    "StreamEvent",
    "Support",
    "Turn",
    "open",
]


def open(folder: str | Path | None = None, *, settings: Settings | None = None, llm: object = None) -> Byline:
    """Open a library, making it when it is not there; close it or use it as a context manager.

    Args:
        folder: The library's folder; when None, the one the settings name.
        settings: Read from the environment (`BYLINE_*`) when None.
        llm: An LLM of LlamaIndex; it writes the answers, and every statement is checked against the articles.

    Raises:
        SettingsError: If a value in the environment cannot be used.
        LibraryBusyError: If another process owns the library.
        IndexMismatchError: If it was built with other settings; the message names the mend.
    """
    from qa.byline import Byline
    from qa.settings import Settings

    settings = settings or Settings()
    return Byline(Path(folder).expanduser().absolute() if folder is not None else settings.library, settings, llm=llm)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'qa' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
