"""The project's whole exception tree.

```
QAError
├── SettingsError            a setting or command-line value that cannot be used
├── MissingExtraError        an optional part is not installed; the message names the install command
├── ServiceBusyError         more is asked of the service at once than it takes on; the message says when to try again
├── CorpusError
│   ├── ArticleFormatError   one file or row that cannot be read as an article
│   └── EmptyCorpusError     nothing to work on: no file found, no article stored
├── IndexingError
│   ├── IndexMissingError    an index or a library that should be there is not
│   ├── IndexMismatchError   built with another embedder, chunker or schema than the one that is set
│   ├── LibraryBusyError     another process owns the library
│   ├── LibraryDamagedError  the truth or an index fails its own checks
│   ├── RetrievalTimeoutError  the library did not answer before the deadline
│   ├── ArticleNotFoundError no article with that id
│   └── ChatNotFoundError    no stored chat, or no turn in it, with that id
└── ReadingError
    ├── ReaderUnavailableError  the configured reader cannot be reached or loaded
    │   └── ModelFailedError     a language model gave no usable answer; the message never quotes it or its provider
    └── BrokenCitationError     a span that does not slice back to its quote
```

Each message says what is wrong with the value and then what to do. The command line and the page show it
unchanged; nothing below them prints.
"""


class QAError(Exception):
    """Base of everything this project raises on purpose."""


class SettingsError(QAError):
    """A setting or command-line value that cannot be used."""


class MissingExtraError(QAError):
    """An optional part is not installed."""


class ServiceBusyError(QAError):
    """More is asked of the service at once than it takes on.

    Args:
        message: What is wrong and when to try again.
        retry_after_s: Whole seconds after which it is worth trying again.
    """

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CorpusError(QAError):
    """Something about loading articles."""


class ArticleFormatError(CorpusError):
    """One file or row that cannot be read as an article."""


class EmptyCorpusError(CorpusError):
    """Nothing to work on."""


class IndexingError(QAError):
    """Something about the library or its indexes."""


class IndexMissingError(IndexingError):
    """An index or library that should be there is not."""


class IndexMismatchError(IndexingError):
    """Built with another embedder, chunker or schema than the one that is set."""


class LibraryBusyError(IndexingError):
    """Another process owns the library."""


class LibraryDamagedError(IndexingError):
    """The truth or an index fails its own checks."""


class RetrievalTimeoutError(IndexingError):
    """The library did not answer before the deadline."""


class ArticleNotFoundError(IndexingError):
    """No article with that id is in the library."""


class ChatNotFoundError(IndexingError):
    """No stored chat, or no turn in it, has that id."""


class ReadingError(QAError):
    """Something about turning hits into an answer."""


class ReaderUnavailableError(ReadingError):
    """The configured reader cannot be reached or loaded."""


class ModelFailedError(ReaderUnavailableError):
    """A language model gave no usable answer.

    Args:
        message: One sentence of ours. What a provider says may repeat the key, so it is never part of it.
        may_pass: Whether asking again may work.
        too_long: Whether it refused the prompt for its length.
        wait_s: How long the provider asks to wait before asking again.
    """

    def __init__(
        self, message: str, *, may_pass: bool = False, too_long: bool = False, wait_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.may_pass = may_pass
        self.too_long = too_long
        self.wait_s = wait_s


class BrokenCitationError(ReadingError):
    """A span that does not slice back to its quote."""
