import pytest

from qa.parts import split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who ended the UK plan and when?", ("Who ended the UK plan?", "When ended the UK plan?")),
        (
            "When was the Iraqi deported, and who made it public?",
            ("When was the Iraqi deported?", "Who made it public, the Iraqi deported?"),
        ),
        (
            "What jobs do Massad Boulos and Olivier Nduhungirehe have?",
            ("What jobs do Massad Boulos have?", "What jobs do Olivier Nduhungirehe have?"),
        ),
        (
            "Who are Olivier Nduhungirehe and Massad Boulos?",
            ("Who is Olivier Nduhungirehe?", "Who is Massad Boulos?"),
        ),
        ("who were Nadia Osei and Liv Berg", ("Who was Nadia Osei?", "Who was Liv Berg?")),
        (
            "Compare the positions of Rwanda and the United States.",
            ("What is said about the positions of Rwanda?", "What is said about the positions of the United States?"),
        ),
    ],
)
def test_split_question_asks_each_part(question, parts):
    assert split_question(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Who is Massad Boulos?",
        "What did Rwanda and the UK sign in 2019?",
        "Which two countries is the US mediating between?",
        "Who is the man that left Jane Street, and whose trial is about to begin?",
        "What is the research and development budget?",
        "Who are the Proud Boys?",
        "and when?",
        "",
    ],
)
def test_split_question_leaves_one_question_alone(question):
    assert split_question(question) == (question,)
