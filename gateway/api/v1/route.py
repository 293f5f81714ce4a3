"""A route of the API, what its handler is given, and what it answers with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import chain

from pydantic import BaseModel

from gateway.api.v1.desk import Desk
from gateway.domain.rights import Actor
from gateway.errands.claims import Claim
from gateway.workflows.change import Errand

JSON = "application/json"


class IfMatch(Enum):
    """Whether a change must say which version it was decided on."""

    NOT_USED = "not used"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file in a multipart form: its field, the most bytes that are read, what it is in words, and other fields."""

    field: str
    limit: int
    what: str
    form: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, identified; `expected` is the version that If-Match names, None where it names none."""

    desk: Desk
    actor: Actor
    at: datetime
    claim: Claim | None = None
    expected: int | None = None
    address: str = ""
    bearer: str = field(default="", repr=False)

    @property
    def errand(self) -> Errand:
        """Return the errand for a workflow that changes something."""
        return Errand(actor=self.actor, at=self.at, claim=self.claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler answers: a model, the version for its ETag, and the cursor of the next page."""

    model: BaseModel | None = None
    version: int | None = None
    cursor: str | None = None
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A file as an answer: never kept whole in memory."""

    chunks: Iterable[bytes]
    media: str
    filename: str
    size: int | None = None


def begun(content: Iterator[bytes]) -> Iterator[bytes]:
    """Open a file before the answer begins, so that one that cannot be opened is an error and not half an answer."""
    first = next(content, b"")
    return chain((first,), content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `name` is its endpoint, its operationId and its line in the table of rights.

    The handler is called with a `Call`, the arguments in the path, and `body`, `query` or `file` and `form` where the
    route has them; its docstring is the summary. `refusals` are statuses beyond those that follow from the rest.
    """

    name: str
    method: str
    path: str
    handler: Callable[..., Answer | Stream]
    tag: str
    answer: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    upload: Upload | None = None
    media: str = JSON
    if_match: IfMatch = IfMatch.NOT_USED
    refusals: frozenset[int] = frozenset()
    example: Mapping[str, object] | None = None

    @property
    def answers_pages(self) -> bool:
        """Tell whether the answer is a page of a list."""
        return self.query is not None and "cursor" in self.query.model_fields
