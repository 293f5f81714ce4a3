"""Types of fields that the models of all resources share: what they refuse needs no second look below."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# No control characters: PostgreSQL refuses NUL, and nobody can read the others.
_PRINTABLE = r"^[^\u0000-\u001f\u007f]*$"
# Texts of several lines may hold tabulators and line ends.
_LINES = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
ID_PATTERN = "[A-Za-z0-9_-]{1,64}"

Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$"), Field(examples=["lakeside"])]
Slug = Annotated[
    str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$"), Field(examples=["lakeside-north"])
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=_LINES)]
Number = Annotated[
    str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"), Field(description="E.164", examples=["+442079460110"])
]
Language = Annotated[
    str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"), Field(examples=["en"], description="BCP 47")
]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Clock = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["08:00"])]
Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]


class Input(BaseModel):
    """What a client sends: a field that is not known is refused, for it would be a wish that nobody hears."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """What a client gets: every field is always there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Input):
    """How to leaf through a list."""

    limit: int = Field(default=50, ge=1, le=200, description="The most entries of a page.")
    cursor: str | None = Field(
        default=None, max_length=400, description="Where to go on: `next` of the page before, as it is."
    )


class FieldProblem(Output):
    """One field that was refused."""

    field: str = Field(description="In a body a JSON pointer, in a query `?name`, in a header its name.")
    message: str
    cure: str


class Problem(BaseModel):
    """A refusal, as RFC 9457 has it; `code` is stable."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    code: str
    errors: list[FieldProblem] = Field(default_factory=list)
