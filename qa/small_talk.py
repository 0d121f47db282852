"""Whole utterances that ask nothing of any article ("Thanks!", "Who are you?") -> the sentence that says what to ask.

Only an utterance that is nothing but one of these is taken for one, so that no question about articles is.
"""

from __future__ import annotations

import re

_UTTERANCES = frozenset(
    """
    hello|hello there|hello byline|hi|hi there|hi byline|hey|hey there|hey byline|howdy|greetings|good day
    good morning|good afternoon|good evening|good night|bye|bye bye|goodbye|see you|see you later
    thanks|thanks a lot|thanks so much|thank you|thank you very much|thank you so much|many thanks|thx
    ok thanks|ok thank you|okay thanks|okay thank you|great thanks|perfect thanks|no thanks|no thank you
    ok|okay|alright|all right|yes|yeah|yep|no|nope|great|nice|cool|perfect|awesome|wow|sorry|please
    i see|got it|understood|makes sense|that makes sense|good to know|well done|good job
    who are you|what are you|who made you|what is your name|what's your name|are you there
    are you human|are you a human|are you a robot|are you a bot|are you an ai|are you a person
    how are you|how are you doing|how are you today|how do you do|what's up|nice to meet you
    help|help me|can you help me|what can you do|what do you do|what do you know|how do you work
    what can i ask|what can i ask you|what should i ask|what can i do here|test|testing
    """.strip()
    .replace("\n", "|")
    .replace("|    ", "|")
    .split("|")
)
_WORD = re.compile(r"[\w']+")
_LONGEST = 60  # characters; nothing longer is looked at


def is_small_talk(utterance: str) -> bool:
    """Say whether the utterance asks nothing of any article, whatever its case and punctuation."""
    plain = utterance.casefold().replace("’", "'")
    return len(plain) <= _LONGEST and " ".join(_WORD.findall(plain)) in _UTTERANCES


def reply_to_small_talk(n_articles: int) -> str:
    """Return the sentence that says what can be asked instead."""
    articles = "one article" if n_articles == 1 else f"{n_articles:,} articles"
    return f"Byline answers only from the {articles} in this library: ask about something reported there."
