"""Where the console's pages and files are: a page names dozens of addresses, and werkzeug takes its time for each."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

from gateway.console.page import Page

_ARGUMENT = re.compile(r"<(\w+)>")
# What may stand in a path and in a query as it is (URL Standard, "path percent-encode set"), as werkzeug has it.
_IN_PATH, _IN_QUERY = "!$&'()*+,/:;=@", "!$'()*,/:;?@"
# Nearly every value is an id, which stands everywhere as it is.
_PLAIN = re.compile(r"[\w.~-]*", re.ASCII)


class Addresses:
    """The addresses of pages by their names, and of files by theirs."""

    def __init__(self, prefix: str, pages: Iterable[Page], folder: Path) -> None:
        """Read the pages' paths, and mark each file of `folder` by its content."""
        # A path with a converter in it is left to werkzeug.
        self._pages = {page.name: prefix + page.path for page in pages if ":" not in page.path}
        self._arguments = {name: tuple(_ARGUMENT.findall(path)) for name, path in self._pages.items()}
        files = (path for path in folder.rglob("*.*") if path.is_file())
        names = ((path.relative_to(folder).as_posix(), path) for path in files)
        self._files = {name: f"{prefix}/static/{name}?v={_mark(path)}" for name, path in names}

    def of_file(self, name: str) -> str:
        """Return where a file is: browsers keep it for long, and take a new one at once."""
        return self._files[name]

    def of_page(self, name: str, values: dict[str, object]) -> str | None:
        """Return where a page is; what is not in its path is asked of it, where it is not None.

        None where there is no such page, or where something in its path is missing.
        """
        path, arguments = self._pages.get(name), self._arguments.get(name, ())
        if path is None or any(values.get(each) is None for each in arguments):
            return None
        for each in arguments:
            path = path.replace(f"<{each}>", in_path(str(values[each])))
        asked = {key: value for key, value in values.items() if key not in arguments and value is not None}
        return f"{path}?{'&'.join(f'{key}={in_query(str(value))}' for key, value in asked.items())}" if asked else path


def in_path(value: str) -> str:
    """Return a value as it stands in a path."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_IN_PATH)


def in_query(value: str) -> str:
    """Return a value as it stands in a query."""
    return value if _PLAIN.fullmatch(value) else quote_plus(value, safe=_IN_QUERY)


def _mark(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
