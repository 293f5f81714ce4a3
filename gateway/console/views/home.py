"""Home: what waits for the reader."""

from werkzeug.wrappers import Response as Answer

from gateway.console.page import Page, Visit, shown


def show_home(visit: Visit) -> Answer:
    """Show what waits for the reader."""
    return shown("home.html", at=visit.at)


PAGES = (Page(name="home", path="/", show=show_home),)
