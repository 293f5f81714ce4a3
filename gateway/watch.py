"""What a process that answers calls keeps current beside them, in threads: its screen, and its count of calls."""

from collections.abc import Callable

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.register.screen import Screen
from gateway.register.screen_keeper import ScreenKeeper
from gateway.register.screen_shelf import Shelf
from gateway.workflows.count_calls import Tally, TallyKeeper


class Watch:
    """The screen and the tally of one process, and what keeps both."""

    def __init__(self, parts: Parts, *, screen_failed: Callable[[], None], tally_failed: Callable[[], None]) -> None:
        """Keep them with the engines of `parts`; whoever counts failures is told of each."""
        self.screen = Screen(parts.keys)
        self.keeper = ScreenKeeper(
            self.screen,
            parts.screens,
            every=parts.settings.screen_poll_seconds,
            failed=lambda _error: screen_failed(),
            first=parts.key_watch(failed=lambda _error: screen_failed()).look,
            shelf=Shelf(parts.settings.screen_dir, parts.screens, parts.keys),
        )
        self.tally = Tally(utc_now())
        self.counting = TallyKeeper(self.tally, parts.calls, clock=utc_now, failed=lambda _error: tally_failed())

    def start(self) -> None:
        """Load the screen, for 20 s at most, and keep both in the background."""
        self.keeper.start()
        self.counting.start()

    def stop(self) -> None:
        """End the threads, and write down what was counted."""
        self.keeper.stop()
        self.counting.stop()
