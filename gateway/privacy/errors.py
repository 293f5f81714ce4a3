"""What can be wrong with keys and with what they protect."""

from gateway.domain.errors import GatewayError


class KeyFileError(GatewayError):
    """The key file {path} cannot be used: {why}. Restore it from the backup; do not make a new one."""

    code = "key_file"


class WeakKeyError(GatewayError):
    """{source} is not a master key: {why}. Give 32 random bytes in base64, as `openssl rand -base64 32` prints them."""

    code = "weak_key"


class UnknownKeyError(GatewayError):
    """Key {key_id} is not on the key ring. Restore the key file that belongs to this database from its backup."""

    code = "unknown_key"


class WrongKeyError(GatewayError):
    """The {what} was not written with these keys, or was changed. Check that the key file belongs to this database."""

    code = "wrong_key"


class TokenRefusedError(GatewayError):
    """The callback token is {why}."""

    code = "token_refused"


class FileTooLargeError(GatewayError):
    """The file is larger than {limit} bytes, the most that is taken here. Give a smaller one."""

    code = "file_too_large"


class SealedFileError(GatewayError):
    """The sealed file {name} cannot be opened: {why}. Restore the vault from the backup."""

    code = "sealed_file"


class RotationUnderWayError(GatewayError):
    """Another rotation is at work on {path}. Wait for it to end, or end it; then give the command again."""

    code = "rotation_under_way"
