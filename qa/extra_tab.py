"""`ExtraTab`: what a package downstream hands to the page to have a tab of its own, without the page knowing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExtraTab:
    """A tab of HTML.

    Args:
        title: On the tab.
        name: Id of its part.
        style: Its style sheet.
        script: Runs once, when the part is first drawn; `trigger('choose', {...})` has it drawn anew.
        fields: Names of what may be chosen in it; everything else that comes is passed over.
        render: Makes the HTML of what was chosen, a text for each field that was; called for each visitor.
    """

    title: str
    name: str
    style: Path
    script: Path
    fields: tuple[str, ...]
    render: Callable[[Mapping[str, str]], str]
