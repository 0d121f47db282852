"""What the HTTP interface takes, checked and bounded; what it gives is DESIGN 3.1 and built by `to_dict`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictInt, model_validator

from corpus.draft import MAX_ID_CHARS
from index.types import Filters
from qa.pipeline import MAX_K

MAX_QUESTION_CHARS = 20_000  # beyond it a body is refused before the library's own, lower limit is asked
MAX_NAMES = 1_000  # outlets, or article ids, in one filter
MAX_TURNS = 100  # of the history that comes with a question
MAX_ROWS = 1_000  # articles in one request
MAX_TEXT_CHARS = 5_000_000  # a long book

Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARS)]
Name = Annotated[str, Field(min_length=1, max_length=500)]
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS)]


class Body(BaseModel):
    """What all bodies share: a misspelt name is an error, not silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FilterBody(Body):
    """Which articles may be searched, as in the rows of `ask --batch`."""

    since: date | None = Field(default=None, description="First day of publication that counts.")
    until: date | None = Field(default=None, description="Last day of publication that counts.")
    outlet: Name | Annotated[list[Name], Field(max_length=MAX_NAMES)] | None = Field(
        default=None, description="A name, or a list of names."
    )
    article_ids: Annotated[list[Id], Field(max_length=MAX_NAMES)] | None = None

    @model_validator(mode="after")
    def _check_range(self) -> FilterBody:
        self.filters()  # raises ValueError when the range of days is empty
        return self

    def filters(self) -> Filters:
        """Return them as the library takes them."""
        outlets = [self.outlet] if isinstance(self.outlet, str) else self.outlet or ()
        return Filters(tuple(outlets), self.since, self.until, tuple(self.article_ids or ()))


class HistoryTurn(BaseModel):
    """One earlier turn of a conversation, oldest first."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["user", "assistant"]
    text: str = Field(max_length=MAX_QUESTION_CHARS, validation_alias=AliasChoices("text", "content"))


class AskBody(FilterBody):
    """A question."""

    question: Question
    k: int | None = Field(default=None, ge=1, le=MAX_K, description="Passages to show; the setting's when left out.")
    history: list[HistoryTurn] = Field(default=[], max_length=MAX_TURNS)
    as_of: date | None = Field(default=None, description="Answer with what was published by that day.")
    stream: bool = Field(default=False, description="Server-sent events; so does `Accept: text/event-stream`.")


class SearchBody(FilterBody):
    """A query."""

    query: Question
    k: int | None = Field(default=None, ge=1, le=MAX_K)
    rerank: bool = Field(default=False, description="Rank by what the reader thinks: better, and slower.")
    texts: bool = Field(default=False, description="With each hit its text, title, source, url and published.")


class ArticleBody(Body):
    """One article, as in a row of a JSON Lines file."""

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    id: Id | StrictInt | None = None
    title: str | None = Field(default=None, max_length=2_000)
    source: str | None = Field(default=None, max_length=500)
    url: str | None = Field(default=None, max_length=2_000)
    published: str | None = Field(default=None, max_length=100)
    author: str | list[str] | None = None
    language: str | None = Field(default=None, max_length=50)


class ArticlesBody(Body):
    """Several articles."""

    articles: list[ArticleBody] = Field(min_length=1, max_length=MAX_ROWS)


class TextPart(BaseModel):
    """One part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["text"]
    text: str = Field(max_length=MAX_QUESTION_CHARS)


class ChatMessage(BaseModel):
    """One message as OpenAI's clients send it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str, Field(max_length=MAX_QUESTION_CHARS)] | list[TextPart] | None = None

    def text(self) -> str:
        """Return its words."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or ())


class StreamOptions(BaseModel):
    """What a stream should carry."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    include_usage: bool = False


class ChatBody(BaseModel):
    """A chat completion as OpenAI's clients ask for it; what steers a sampling model (temperature, ...) is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_TURNS)
    model: str = Field(default="byline", max_length=200)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
