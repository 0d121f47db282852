"""Articles: loading, sentence spans, passages. The most upstream package."""

from corpus.types import Article, LoadFailure, Passage, Span

__all__ = ["Article", "LoadFailure", "Passage", "Span"]
