"""The progress line of `byline add`."""

from index.types import AddProgress
from qa.progress_rich import show_progress


def test_show_progress_shows_the_count_and_the_file_as_it_is_called(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes the captured stream for a terminal
    monkeypatch.setenv("TERM", "xterm")
    with show_progress() as step:
        step(AddProgress(3, "/articles/[red]odd\x1b[2J.txt"))
    captured = capsys.readouterr()
    assert "3 articles" in captured.err and "[red]odd" in captured.err
    assert "\x1b[2J" not in captured.err
    assert captured.out == ""


def test_show_progress_shows_the_total_the_rate_and_the_time_left(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with show_progress(total=8) as step:
        for done in range(1, 5):
            step(AddProgress(done, "a.txt"))
    shown = capsys.readouterr().err
    assert "4 of 8 articles, " in shown and "/s" in shown and "left" in shown
