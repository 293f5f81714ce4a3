"""The results of the SIP path in RESULTS.md: its last section, which `make bench-sip` writes and `make bench` keeps."""

TITLE = "## Calls over SIP"
_BEGIN = f"\n{TITLE}\n"


def kept(page: str) -> str:
    """Return the section as it stands in `page`, title and all; empty where there is none."""
    _, begin, section = page.partition(_BEGIN)
    return begin + section


def renewed(page: str, section: str) -> str:
    """Return `page` with `section`, which begins with the title, in the place of the one it has."""
    rest, _, _ = page.partition(_BEGIN)
    return f"{rest.rstrip()}\n\n{section}"
