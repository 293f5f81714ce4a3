"""What is refused to people and programs. None of these messages holds a login, a name or a secret."""

from gateway.domain.errors import GatewayError


class NotSignedInError(GatewayError):
    """You are not signed in: the token is missing, unknown, or was signed out. Sign in, or give a valid API key."""

    code = "not_signed_in"


class SessionExpiredError(GatewayError):
    """Your session has expired; sign in again."""

    code = "session_expired"


class ApiKeyExpiredError(GatewayError):
    """API key {key_id} expired on {expired:%Y-%m-%d}; ask an administrator for a new one."""

    code = "api_key_expired"


class ApiKeyRevokedError(GatewayError):
    """API key {key_id} was revoked; ask an administrator for a new one."""

    code = "api_key_revoked"


class WrongCredentialsError(GatewayError):
    """The login, the password or the code is wrong, or the code was used already. Check them; wait for a new code."""

    code = "wrong_credentials"


class RetryLaterError(GatewayError):
    """Not now; try again in {retry_after} s."""

    code = "retry_later"

    @property
    def retry_after(self) -> int:
        """Return how many seconds to wait."""
        return int(str(self.details["retry_after"]))


class TooManyAttemptsError(RetryLaterError):
    """There were too many attempts to sign in; try again in {retry_after} s."""

    code = "too_many_attempts"


class SignInBusyError(RetryLaterError):
    """Too many people sign in at once; try again in {retry_after} s."""

    code = "sign_in_busy"


class WeakPasswordError(GatewayError):
    """This password is not accepted: {why}. Choose a longer phrase that nobody would guess."""

    code = "weak_password"


class WrongCodeError(GatewayError):
    """The six digits are not those of this moment. Check your device's clock, and type the code it shows now."""

    code = "wrong_code"


class EnrolmentRefusedError(GatewayError):
    """This enrolment code is unknown, used or expired; ask an administrator to reset your credentials."""

    code = "enrolment_refused"


class PasskeyRefusedError(GatewayError):
    """The passkey was not accepted: {why}. Start again, or ask an administrator to reset your credentials."""

    code = "passkey_refused"


class OidcRefusedError(GatewayError):
    """The sign-in at the identity provider was not accepted: {why}. Start again, or ask an administrator."""

    code = "oidc_refused"


class OidcAwayError(GatewayError):
    """The identity provider did not answer as it should ({why}). Try again, or sign in with a password or passkey."""

    code = "oidc_away"


class UnknownPersonError(GatewayError):
    """There is no person {person_id!r}. `notice-gateway people list` shows them."""

    code = "unknown_entry"


class UnknownLoginError(GatewayError):
    """There is no person with this login. `notice-gateway people list` shows them."""

    code = "unknown_entry"


class UnknownApiKeyError(GatewayError):
    """There is no API key {key_id!r}. `notice-gateway api-keys list` shows them."""

    code = "unknown_entry"


class UnknownRoleError(GatewayError):
    """Person {person_id} is not {role} there; read the person again to see the roles."""

    code = "unknown_entry"


class InvalidLoginError(GatewayError):
    """A login has 3 to 200 characters without spaces, for example an e-mail address; choose another."""

    code = "invalid_login"


class InvalidNameError(GatewayError):
    """A name has 1 to 200 characters in one line; write it as it is to be shown."""

    code = "invalid_name"


class TakenLoginError(GatewayError):
    """There is already a person with this login; a login is not given twice, not even after its person was closed."""

    code = "taken_login"


class PersonClosedError(GatewayError):
    """Person {person_id} was closed and stays closed; add a new person."""

    code = "person_closed"


class LastAdministratorError(GatewayError):
    """This is the last administrator for everywhere; give that role to somebody else first."""

    code = "last_administrator"


class KeyRightsError(GatewayError):
    """An API key cannot have {rights}: {why}. Choose among {allowed}."""

    code = "key_rights"


class KeyLifetimeError(GatewayError):
    """An API key lasts from 1 minute to 366 days; this one would last {shown}. Choose another end."""

    code = "key_lifetime"
