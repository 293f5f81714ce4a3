"""Errors as pages: what went wrong, what to do, and where to go on; never a trace."""

from http import HTTPStatus

import structlog
from flask import Response, request
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from gateway.console import refusals
from gateway.console.page import shown
from gateway.domain.errors import GatewayError

log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.console")


def of_gateway(error: GatewayError) -> Response:
    """Show what was refused; a fault of ours is logged and not told."""
    status = refusals.status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("console_failed", endpoint=request.endpoint or "", exc_info=error)
        return _page(status, gettext("Something went wrong on our side"), _ours())
    if status == HTTPStatus.NOT_FOUND:
        return _page(status, gettext("There is nothing here"), _nothing())
    if status == HTTPStatus.FORBIDDEN:
        return _page(status, gettext("You may not do this"), refusals.message_of(error))
    return _page(status, gettext("This was refused"), refusals.message_of(error))


def of_http(error: HTTPException) -> Response:
    """Show what HTTP itself refuses."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        return _page(status, gettext("There is nothing here"), _nothing())
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _page(
            status, gettext("This is too large"), gettext("Go back, choose a smaller file, and send the form again.")
        )
    return _page(status, gettext("This cannot be done here"), gettext("Go back to the page that you came from."))


def of_database(error: SQLAlchemyError) -> Response:
    """Say that the register cannot be reached."""
    log.error("console_database", endpoint=request.endpoint or "", exc_info=error)
    return _page(
        HTTPStatus.SERVICE_UNAVAILABLE,
        gettext("The register cannot be reached just now"),
        gettext("Nothing was changed. Wait a moment, go back, and send it again."),
    )


def of_defect(error: Exception) -> Response:
    """Say that we failed, and nothing of how."""
    log.error("console_failed", endpoint=request.endpoint or "", exc_info=error)
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, gettext("Something went wrong on our side"), _ours())


def _page(status: int, title: str, text: str) -> Response:
    return shown("fault.html", status, title=title, text=text)


def _nothing() -> str:
    return str(gettext("The address is wrong, or what was here lies outside of what you may see."))


def _ours() -> str:
    return str(gettext("Nothing was changed by halves. The log has what happened: say when it was."))
