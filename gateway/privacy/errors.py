"""What can be wrong with keys and with what they protect."""

from gateway.domain.errors import GatewayError


class KeyFileError(GatewayError):
    """The key file {path} cannot be used: {why}. Restore it from the backup; do not make a new one."""

    code = "key_file"


class WeakKeyError(GatewayError):
    """{source} is not a master key: {why}. Give 32 random bytes in base64, as `openssl rand -base64 32` prints them."""

    code = "weak_key"


class WrongKeyError(GatewayError):
    """The {what} was not written with these keys, or was changed. Check that the key file belongs to this database."""

    code = "wrong_key"


class TokenRefusedError(GatewayError):
    """The callback token is {why}."""

    code = "token_refused"
