"""The tokens of forms are Flask-WTF's own, whoever signed them, and follow the console's key."""

import pytest
from flask import Flask, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from gateway.console.cookies import FormTokens


@pytest.fixture
def app() -> Flask:
    made = Flask("tokens", static_folder=None)
    made.secret_key = b"the first key of these tests"
    return made


def test_a_token_is_good_in_the_session_that_it_was_made_in_and_in_no_other(app: Flask) -> None:
    tokens = FormTokens()
    with app.test_request_context():
        first = tokens.token()
        proof = session["csrf_token"]
        validate_csrf(first)
    with app.test_request_context():
        session["csrf_token"] = proof
        again = tokens.token()
        assert again == tokens.token() == generate_csrf()
        validate_csrf(again)
        validate_csrf(first)
    with app.test_request_context():
        tokens.token()
        with pytest.raises(ValidationError):
            validate_csrf(again)


def test_a_token_is_signed_with_the_key_of_the_moment(app: Flask) -> None:
    tokens = FormTokens()
    made = []
    for key in (b"the first key of these tests", b"the second key of these tests"):
        app.secret_key = key
        with app.test_request_context():
            session["csrf_token"] = "the session's own"
            made.append(tokens.token())
            validate_csrf(made[-1])
    with app.test_request_context():
        session["csrf_token"] = "the session's own"
        with pytest.raises(ValidationError):
            validate_csrf(made[0])
