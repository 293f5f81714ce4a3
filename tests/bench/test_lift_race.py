"""The race against lifts can be lost: a stale notice is found, and nothing else is taken for one."""

from bench.lift_race import Rung, judge, table


def test_a_notice_on_a_call_that_was_sent_after_the_lift_had_returned_is_stale() -> None:
    rung = [Rung(line=1, sent=10.5, notice=True), Rung(line=1, sent=10.6, notice=True)]
    assert judge("SQLite", rung, {1: 10.4}, 1.0).stale == 2


def test_a_call_that_was_sent_while_its_order_was_being_lifted_may_hear_the_notice() -> None:
    rung = [Rung(line=1, sent=10.3, notice=True), Rung(line=1, sent=10.4, notice=True)]
    found = judge("SQLite", rung, {1: 10.4}, 1.0)
    assert (found.stale, found.after, found.notices) == (0, 0, 2)


def test_silence_after_a_lift_is_what_is_wanted() -> None:
    found = judge("SQLite", [Rung(line=1, sent=11.0, notice=False)], {1: 10.4}, 1.0)
    assert (found.stale, found.after, found.notices) == (0, 1, 0)


def test_a_lift_ends_the_notices_of_its_own_line_only() -> None:
    assert judge("SQLite", [Rung(line=2, sent=11.0, notice=True)], {1: 10.4}, 1.0).stale == 0


def test_the_table_shows_how_many_were_stale() -> None:
    found = judge("PostgreSQL", [Rung(line=1, sent=11.0, notice=True)], {1: 10.4}, 1.0)
    assert "| PostgreSQL, 4 workers | 1 | 1 | 1 | 1 | **1** |" in table([found])
