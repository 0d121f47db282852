import pytest

from qa.roles import find_role

BOULOS = "Rubio gave credit to Massad Boulos, who is Trump’s envoy to Africa and the father-in-law of Tiffany Trump."


@pytest.mark.parametrize(
    ("person", "sentence", "role"),
    [
        ("Massad Boulos", BOULOS, "Trump’s envoy to Africa and the father-in-law of Tiffany Trump"),
        ("Tiffany Trump", BOULOS, None),
        ("Marco Rubio", "Marco Rubio, the U.S. Secretary of State, used a meeting.", "the U.S. Secretary of State"),
        ("Rubio", "It was US Secretary of State Marco Rubio who said so.", "US Secretary of State"),
        ("Nadia Osei", "It is shut, its harbour master and director, Nadia Osei, said.", "harbour master and director"),
        ("Marisa Kabas", "A story that the independent journalist Marisa Kabas uncovered.", "independent journalist"),
        ("Donald Trump", "With former President Donald Trump in the next seat, Rubio spoke.", "former President"),
        ("Donald Trump", "In Washington, where President Donald Trump, now in his second term, rules.", "President"),
        ("Trump", "After meeting the president, Trump said that he would.", None),
        ("Keir Starmer", "Prime Minister Keir Starmer waved it away.", "Prime Minister"),
        ("Lena Voss", "Lena Voss, a retired judge and mayor of Oster; hers is.", "a retired judge and mayor of Oster"),
        ("Lena Voss", "Lena Voss, who was killed in March, had three sons.", None),
        ("Lena Voss", "The bridge was named after her.", None),
        ("?", "Prime Minister Keir Starmer waved it away.", None),
    ],
)  # fmt: skip
def test_find_role_gives_what_the_sentence_says_beside_the_name(person, sentence, role):
    span = find_role(person, sentence)
    assert (span and span.slice(sentence)) == role
