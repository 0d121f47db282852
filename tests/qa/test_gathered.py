from qa.gathered import MOST_CHARS, gather_sentences

FIRST = "The port of Aden was closed on Monday. Nobody was hurt. Rain fell all week."
SECOND = "Prices in the shops rose. The harbour master Omar Said ordered the closure after a fire."


def test_the_sentences_that_hold_the_words_are_joined_in_their_order():
    gathered = gather_sentences("Omar Said closed the port of Aden after a fire.", [FIRST, SECOND])
    assert gathered == (
        "The port of Aden was closed on Monday. The harbour master Omar Said ordered the closure after a fire."
    )


def test_what_adds_no_word_is_left_out():
    assert gather_sentences("The port was closed.", [FIRST, FIRST]) == "The port of Aden was closed on Monday."


def test_the_text_stays_as_long_as_a_passage():
    names = [f"Name{i:02d}" for i in range(30)]
    passages = [f"{name} said {'nothing of note ' * 9}today." for name in names]
    gathered = gather_sentences(f"{', '.join(names)} spoke.", passages)
    assert gathered.count("today.") > 3 and len(gathered) <= MOST_CHARS


def test_without_passages_nothing_is_gathered():
    assert gather_sentences("The port was closed.", []) == ""
    assert gather_sentences("The port was closed.", ["", "  "]) == ""
