from corpus.types import Span
from qa.suggest import MAX_SUGGESTED, MAX_TRIED, candidates, suggest_questions
from qa.types import Abstention, Answer, Citation, Statement, Support, flat
from tests.fakes import make_article, make_hits

TEXT = (
    "Ann Lee, the mayor of Oslo, opened the bridge. Bo Ek said that it was “far too late”. "
    "The bridge was built by the North Sea Company. Cy Dun, a painter, was there."
)
PORT = make_article(TEXT, "port")


def answer_with(question, *quotes, short=None, confidence=0.9, article=PORT):
    citations = []
    for n, quote in enumerate(quotes, 1):
        start = article.text.index(quote)
        citations.append(Citation(n, article, f"{article.id}:0", Span(start, start + len(quote)), quote))
    statements = tuple(Statement(flat(c.quote), (c.n,), Support.VERBATIM) for c in citations)
    declined = None if citations else Abstention("No.")
    hits = tuple(make_hits(article))
    return Answer(
        question, statements, tuple(citations), hits, confidence, "fake", "0", short_answer=short, abstention=declined
    )


def test_candidates_ask_for_people_first_and_for_nobody_who_was_asked_about():
    found = [candidate.question for candidate in candidates(answer_with("What did Cy Dun paint?"))]
    assert found == ["Who is Ann Lee?", "What did Bo Ek say?", "What is said about the North Sea Company?"]


def test_suggest_keeps_what_the_library_answers():
    answers = {
        "Who is Ann Lee?": answer_with(
            "?", "Ann Lee, the mayor of Oslo, opened the bridge.", short="the mayor of Oslo"
        ),
        "Who is Cy Dun?": answer_with("?", "Cy Dun, a painter, was there.", short="Bo Ek"),  # says nothing of him
        "What did Bo Ek say?": answer_with("?", "Bo Ek said that it was “far too late”.", confidence=0.4),
    }
    asked = []

    def ask(question):
        asked.append(question)
        return answers.get(question, answer_with(question))

    assert suggest_questions(answer_with("Why?"), ask) == ["Who is Ann Lee?"]
    assert set(answers) < set(asked)


def test_suggest_offers_nothing_that_only_says_again_what_was_said():
    quote = "Ann Lee, the mayor of Oslo, opened the bridge."
    found = suggest_questions(
        answer_with("Why?", quote), lambda question: answer_with(question, quote, short="the mayor")
    )
    assert found == []


def test_suggest_stops_at_three_and_does_not_try_for_ever():
    names = ["Abe", "Bee", "Cat", "Dan", "Eva", "Fay", "Gus", "Hal", "Ida", "Jan"]
    text = " ".join(f"{name} Moss, the keeper of {name}, left." for name in names)
    article, asked = make_article(text, "many"), []

    def ask(question):
        asked.append(question)
        name = question.split()[2]
        if len(asked) < 4:
            return answer_with(question, article=article)
        return answer_with(
            question, f"{name} Moss, the keeper of {name}, left.", short=f"the keeper of {name}", article=article
        )

    assert len(suggest_questions(answer_with("Why?", article=article), ask)) == MAX_SUGGESTED
    asked.clear()
    assert suggest_questions(answer_with("Why?", article=article), lambda q: asked.append(q) or answer_with(q)) == []
    assert len(asked) == MAX_TRIED


def test_suggest_leaves_off_when_it_may_not_go_on():
    said = iter([True, False])
    found = suggest_questions(
        answer_with("Why?"),
        lambda question: answer_with("?", "Ann Lee, the mayor of Oslo, opened the bridge.", short="the mayor of Oslo"),
        lambda: next(said),
    )
    assert found == ["Who is Ann Lee?"]
