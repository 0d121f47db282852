"""Whether a text gives orders to a program that reads it: what is hidden in articles to command a language model."""

from __future__ import annotations

import re

_SAYS = (
    r"(?:say|tell|reply|respond|answer|output|print|append|include|insert|add|begin|start|end|cite|mention|stop|write)"
)
_PROGRAM = r"(?:AI|LLM|language models?|chat\s?bots?|assistants?|AI (?:systems?|agents?))"
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,60}\b(?:instructions?|prompts?|rules|guidelines)\b"
    r"|\b(?:ignorez|ignoriere|ignora)\b[^.\n]{0,60}\binstru[ck]\w+"
    rf"|\b{_PROGRAM}\b\s*[:,][^.\n]{{0,120}}\b{_SAYS}\b"
    rf"|\bif you are (?:an? )?{_PROGRAM}\b"
    r"|(?:^|[>\n])\s*(?:SYSTEM|ASSISTANT|INSTRUCTIONS?)\s*:"
    rf"|\b{_SAYS}\b[^.\n]{{0,80}}\b(?:your|every|this|the) (?:answer|reply|response|output)\b"
    rf"|\b(?:your|every|this|the) (?:answer|reply|response|output) (?:must|should|shall|has to)\b"
    r"|\b(?:in|to|of|with|enhance|modify|augment|provide|change) your (?:answer|reply|response|output)\b"
    r"|\b(?:must|should|please) tell the user\b"
    r"|\breply only with\b|\bwhen summari[sz]ing (?:this|the)\b",
    re.IGNORECASE,
)


def gives_orders(text: str) -> bool:
    """Say whether the text tells its reader what to write; news reports, it does not command."""
    return bool(_ORDERS.search(text))
