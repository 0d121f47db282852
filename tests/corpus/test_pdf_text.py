from corpus.pdf_text import flow_text


def test_flow_text_joins_lines_and_mends_broken_words():
    page = (
        "The council voted on Tues-\nday to add a well-known late ferry that will be well-\nknown. It is\nlate.\n"
        "A new paragraph starts on this line here."
    )
    assert flow_text([page]) == (
        "The council voted on Tuesday to add a well-known late ferry that will be well-known. It is late.\n\n"
        "A new paragraph starts on this line here."
    )


def test_flow_text_drops_running_heads_and_page_numbers():
    pages = [
        f"Harbour News {n}\nThe council voted for the {n}th time on this long line.\nPage {n} of 4" for n in range(1, 5)
    ]
    assert "Harbour News" not in flow_text(pages)
    assert "Page" not in flow_text(pages)
    assert flow_text(pages).count("The council voted") == 4


def test_flow_text_goes_on_over_a_page_break():
    pages = [
        "The council of the harbour town voted on\nTuesday evening to add a late ferry that\n1",
        "will leave at midnight on every weekday.\n2",
    ]
    assert flow_text(pages) == (
        "The council of the harbour town voted on Tuesday evening to add a late ferry that "
        "will leave at midnight on every weekday."
    )


def test_flow_text_spells_out_ligatures_and_joins_chinese_without_blanks():
    assert flow_text(["The ﬁnal oﬃce."]) == "The final office."
    assert flow_text(["港湾評議会はフェリー\nの時刻表を承認した。"]) == "港湾評議会はフェリーの時刻表を承認した。"


def test_flow_text_of_nothing_is_nothing():
    assert flow_text([]) == flow_text(["", " \n "]) == ""
