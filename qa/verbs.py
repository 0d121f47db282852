"""Past forms of English verbs -> the form that stands after "did"; no tagger, none where it is not certain."""

from __future__ import annotations

from qa.words import frequency_place

_PAIRS = (
    "said:say told:tell took:take went:go gave:give made:make won:win lost:lose led:lead wrote:write sold:sell "
    "bought:buy left:leave found:find met:meet paid:pay sent:send held:hold kept:keep built:build began:begin "
    "became:become broke:break chose:choose drew:draw drove:drive fell:fall flew:fly got:get grew:grow knew:know "
    "ran:run saw:see shot:shoot sank:sink spoke:speak spent:spend stood:stand struck:strike taught:teach "
    "thought:think threw:throw came:come brought:bring caught:catch fought:fight fed:feed felt:feel heard:hear "
    "laid:lay meant:mean rose:rise sang:sing slept:sleep stole:steal swam:swim swore:swear tore:tear wore:wear "
    "withdrew:withdraw undertook:undertake put:put set:set cut:cut hit:hit shut:shut"
)
_IRREGULAR = dict(pair.split(":") for pair in _PAIRS.split())
_MIN_LETTERS = 5  # "need" and "shed" are no past forms...
_SHORT_PASTS = frozenset({"used", "owed", "aged"})  # ...and these are


def base_of_past(word: str) -> str | None:
    """Return "stop" for "stopped" and "go" for "went"; None for what is not known as a past form."""
    past = word.lower()
    if past in _IRREGULAR:
        return _IRREGULAR[past]
    if not past.endswith("ed") or (len(past) < _MIN_LETTERS and past not in _SHORT_PASTS):
        return None
    forms = [past[:-2], past[:-1]]
    if past.endswith("ied"):
        forms.append(f"{past[:-3]}y")
    elif past[-3] == past[-4]:
        forms.append(past[:-3])
    places = {form: place for form in forms if len(form) > 2 and (place := frequency_place(form)) is not None}
    return min(places, key=places.__getitem__, default=None)
