"""`Choice`: how somebody's own questions are answered, where that differs from what is set for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from corpus.errors import SettingsError
from qa.pipeline import MAX_K

if TYPE_CHECKING:
    from qa.settings import Settings

ReaderName = Literal["extractive", "llm"]
Strictness = Literal["lenient", "balanced", "strict"]
READERS: tuple[ReaderName, ...] = get_args(ReaderName)
STRICTNESSES: tuple[Strictness, ...] = get_args(Strictness)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen; None leaves the setting as it is.

    Args:
        k: Passages that an answer shows, 1 to `MAX_K`.
        strictness: How sure the reader must be before it answers rather than declines.
        reader: What turns passages into answers.

    Raises:
        SettingsError: If a value is out of its range.
    """

    k: int | None = None
    strictness: Strictness | None = None
    reader: ReaderName | None = None

    def __post_init__(self) -> None:
        if self.k is not None and not 1 <= self.k <= MAX_K:
            raise SettingsError(f"An answer cannot show {self.k:,} passages. Choose a number from 1 to {MAX_K}.")
        if self.strictness is not None and self.strictness not in STRICTNESSES:
            raise SettingsError(f"There is no strictness {self.strictness!r}. Choose one of {', '.join(STRICTNESSES)}.")
        if self.reader is not None and self.reader not in READERS:
            raise SettingsError(f"There is no reader {self.reader!r}. Choose one of {', '.join(READERS)}.")

    def of(self, settings: Settings) -> Settings:
        """Return the settings with what was chosen in their place; the same when that changes nothing."""
        chosen = {name: getattr(self, name) for name in ("k", "strictness", "reader")}
        changed = {name: value for name, value in chosen.items() if value not in (None, getattr(settings, name))}
        return settings.model_copy(update=changed) if changed else settings


AS_SET = Choice()
