"""The readers of one library: the one that is set, and the others that may be chosen for a question."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from corpus.errors import SettingsError
from qa.make_reader import make_extractive, make_language_model, make_llm_reader

if TYPE_CHECKING:
    from qa.choice import ReaderName
    from qa.language_model import LanguageModel
    from qa.network_onnx import ReaderNetwork
    from qa.settings import Settings
    from qa.types import Reader


class Readers:
    """Makes each reader when it is first wanted. All share one network and one language model. Thread-safe.

    Args:
        settings: Name the reader that answers unless another is chosen, and the language model.
        reader: Takes its place; then there is no other.
        llm: An LLM of LlamaIndex; then it writes unless another reader is chosen.
    """

    def __init__(self, settings: Settings, *, reader: Reader | None = None, llm: object = None) -> None:
        self._settings = settings
        self._own = reader
        self._llm = llm
        self._network: ReaderNetwork | None = None
        self._model: LanguageModel | None = None
        self._made: dict[tuple[str, str], Reader] = {}
        self._making = threading.Lock()

    @property
    def default(self) -> ReaderName | None:
        """Return the reader that answers unless another is chosen; None when it was brought along."""
        if self._own is not None:
            return None
        return "llm" if self._llm is not None else self._settings.reader

    @property
    def offered(self) -> tuple[ReaderName, ...]:
        """Return the readers that may be chosen; none when one was brought along."""
        if self._own is not None:
            return ()
        has_model = self.default == "llm" or self._settings.llm_model is not None
        return ("extractive", "llm") if has_model else ("extractive",)

    def get(self, name: ReaderName | None = None, strictness: str | None = None) -> Reader:
        """Return a reader.

        Args:
            name: Which; the default when None.
            strictness: How sure it must be before it answers; as set when None.

        Raises:
            SettingsError: If it is not offered, or the library answers with a reader that was brought along.
            MissingExtraError: If the language model's plug-in is not installed.
        """
        if self._own is not None:
            if name is None and strictness is None:
                return self._own
            raise SettingsError("This library answers with a reader of its own, beside which none can be chosen.")
        wanted = name or self.default or self._settings.reader
        key = wanted, strictness or self._settings.strictness
        with self._making:
            if key not in self._made:
                self._made[key] = self._make(*key)
            return self._made[key]

    def _make(self, name: str, strictness: str) -> Reader:
        from qa.network_onnx import ReaderNetwork

        self._network = self._network or ReaderNetwork(threads=self._settings.threads)
        settings = self._settings.model_copy(update={"strictness": strictness})
        if name == "extractive":
            return make_extractive(settings, network=self._network)
        self._model = self._model or make_language_model(settings, self._llm)
        return make_llm_reader(settings, model=self._model, network=self._network)
