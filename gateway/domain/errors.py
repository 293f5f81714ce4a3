"""The one tree of errors: a subclass's docstring is its message, its `code` is stable."""

from typing import ClassVar


class GatewayError(Exception):
    """The gateway refuses this."""

    code: ClassVar[str] = "refused"

    def __init__(self, **details: object) -> None:
        """Keep `details` and fill them into the docstring, which is the message."""
        self.details = details
        super().__init__((type(self).__doc__ or "").strip().format(**details))


class InvalidNumberError(GatewayError):
    """{shown!r} is not a telephone number in E.164 form; write + and the country code, for example +442079460110."""

    code = "invalid_number"


class NaiveTimeError(GatewayError):
    """{field} has no time zone; give an aware time, for example 2026-03-01T09:00:00+00:00."""

    code = "naive_time"


class InvalidIdentifierError(GatewayError):
    """{scheme} {shown!r} is not a valid registry identifier: {why}. Copy it again from the register's extract."""

    code = "invalid_identifier"


class SoleTraderError(GatewayError):
    """{scheme} {shown!r} identifies a sole trader, who is a natural person; draft a service order instead."""

    code = "sole_trader"


class LegalFormError(GatewayError):
    """{scheme} is given to sole traders too; state the legal form as the register's extract has it, such as SARL."""

    code = "legal_form"


class AudienceError(GatewayError):
    """A {notice} can only be made for {wanted}; a private person's case is never told to callers."""

    code = "audience"


class NoticeTooLongError(GatewayError):
    """The public notice lasts {seconds:.1f} s; callers wait at most {limit:.0f} s. Shorten the text or recording."""

    code = "notice_too_long"


class NoticeEmptyError(GatewayError):
    """The {notice} has no rendition to play; give a text or a recording."""

    code = "notice_empty"


class CapsTooLooseError(GatewayError):
    """{field} is {value}; the loosest this gateway allows is {limit}."""

    code = "caps_too_loose"


class InvalidTransitionError(GatewayError):
    """Order {order} is {state}; it cannot be {verb}; only one that is {allowed} can."""

    code = "invalid_transition"


class SameOfficerError(GatewayError):
    """Officer {officer!r} drafted this order and cannot approve it too; a second officer must."""

    code = "same_officer"


class NoDocumentError(GatewayError):
    """The order has no authority document; give the SHA-256 of the signed order in 64 hex digits."""

    code = "no_document"


class InvalidWindowError(GatewayError):
    """The order would be in force from {start} until {end}: {why}."""

    code = "invalid_window"


class StaleVersionError(GatewayError):
    """{what} was changed by somebody else since you read it; read it again, and decide on what it says now."""

    code = "stale_version"


class LineEvidenceError(GatewayError):
    """Line {line} has no evidence that the organisation publishes it as its own; state where it does, and when seen."""

    code = "line_evidence"
