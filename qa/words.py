"""Words of a text with their places, stems and rarity: what the extractive reader matches on."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import snowballstemmer  # type: ignore[import-untyped]

# One word: letters and digits with inner apostrophes, dots of abbreviations ("U.S.") and of numbers ("1,234.5").
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,]\d+)*|[^\W\d_]+(?:[’'][^\W\d_]+)*|\w+")
_POSSESSIVE = re.compile(r"[’']s?$")
# "Rwandan" and "Rwanda", "Israeli" and "Israel", "Canadian" and "Canada", "deportees" and "deported" meet in one stem.
_PEOPLE_ENDING = re.compile(r"(?<=\w{4})(?:ians?|ans?|ese|is?|ia|a|ees?)$")
_MIN_DEMONYM_LETTERS = 5
_MIN_DEMONYM_RARITY = 0.62  # commoner words ("human", "area") keep their ending
_MAX_COMMON_RANK = 12_000  # rarer words are mostly names, poor guesses for a typing slip
_FIRST_WORD_ID = 1996  # "the": BERT's vocabulary lists its whole words from here, the most frequent first

# Function words and question scaffolding: they say what kind of answer is wanted, not what it is about.
_STOP_WORDS = (
    "a an the this that these those there here it its he him his she her hers they them their theirs we us our you "
    "your i me my mine one and or but nor so yet if then than as of in on at by for with from to into onto over "
    "under about after before between during through up down out off upon within without against is are was were "
    "be been being am do does did done doing have has had having will would shall should can could may might must "
    "who whom whose which what when where why how not no any some each every all both other another such own same "
    "s t just also very much many more most said says say according article articles report reports reported tell "
    "please name list called"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())
# Spellings that news uses for the same thing; looked up on the word as written, since "us" is a pronoun.
_SAME = {
    **dict.fromkeys(("US", "U.S.", "USA", "U.S.A.", "America", "American", "Americans"), "america"),
    **dict.fromkeys(("UK", "U.K.", "Britain", "British"), "britain"),
    **dict.fromkeys(("EU", "E.U."), "europ"),
    **dict.fromkeys(("UN", "U.N."), "unit_nation"),
}
_SAME_PAIR = {("unit", "state"): "america", ("unit", "kingdom"): "britain", ("unit", "nation"): "unit_nation"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its half-open place in the text it was cut from."""

    text: str
    stem: str
    start: int
    end: int

    @property
    def is_stop(self) -> bool:
        """Whether the word carries no topic of its own."""
        return self.stem in STOP_WORDS or self.text.lower() in STOP_WORDS

    @property
    def is_capitalised(self) -> bool:
        """Whether the first letter is upper case."""
        return self.text[0].isupper()


def split_words(text: str) -> list[Word]:
    """Cut a text into words in order; places are offsets into `text`."""
    words = [Word(m.group(), stem_word(m.group()), m.start(), m.end()) for m in _WORD.finditer(text)]
    for i in range(len(words) - 1):
        pair = _SAME_PAIR.get((words[i].stem, words[i + 1].stem))
        if pair and words[i].is_capitalised:
            words[i] = Word(words[i].text, pair, words[i].start, words[i].end)
            words[i + 1] = Word(words[i + 1].text, pair, words[i + 1].start, words[i + 1].end)
    return words


@lru_cache(maxsize=65_536)
def stem_word(word: str) -> str:
    """Return the English Snowball stem, lower case and without accents; "US" and "U.S." give one stem."""
    if word in _SAME:
        return _SAME[word]
    plain = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", word)).lower()
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace(",", "").strip(".’'")
    if not plain:
        return word.lower()
    if len(plain) >= _MIN_DEMONYM_LETTERS and _rarity_of(plain) > _MIN_DEMONYM_RARITY:
        plain = _PEOPLE_ENDING.sub("", plain)
    # A stemmer keeps the word it works on in itself, so threads must not share one; making one costs nothing.
    return str(snowballstemmer.stemmer("english").stemWord(plain))


@lru_cache(maxsize=65_536)
def rarity(word: str) -> float:
    """Return how rare an English word is, from 0 (the) to 1 (not in the encoder's vocabulary).

    The encoder's vocabulary lists whole words by falling frequency, so the logarithm of the place is, by Zipf's law,
    close to an inverse document frequency over general English; unlike one counted in the library it is right
    for a library of two articles too.
    """
    return min(_rarity_of(word.lower()), _rarity_of(stem_word(word)))


def is_known(word: str) -> bool:
    """Say whether the encoder's vocabulary holds the word or its stem whole."""
    return word in _ranks() or stem_word(word) in _ranks()


def frequency_place(word: str) -> int | None:
    """Return the place of a lower-case word by falling frequency in the encoder's vocabulary; None if not there."""
    return _ranks().get(word)


@lru_cache(maxsize=1)
def common_words() -> tuple[str, ...]:
    """Return the more frequent words of the vocabulary, the most frequent first."""
    ranked = sorted(_ranks().items(), key=lambda item: item[1])
    return tuple(word for word, rank in ranked if rank <= _MAX_COMMON_RANK and word.isalpha())


def _rarity_of(form: str) -> float:
    ranks = _ranks()
    return math.log(1 + ranks.get(form, len(ranks))) / math.log(1 + len(ranks))


@lru_cache(maxsize=1)
def _ranks() -> dict[str, int]:
    source = resources.files("index") / "models" / "minilm-l6-int8" / "tokenizer.json"
    vocabulary = json.loads(source.read_text(encoding="utf-8"))["model"]["vocab"]
    return {word: place - _FIRST_WORD_ID + 1 for word, place in vocabulary.items() if place >= _FIRST_WORD_ID}
