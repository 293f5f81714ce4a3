"""What can keep the edge from running."""

from gateway.domain.errors import GatewayError


class ProgramMissingError(GatewayError):
    """{what} is not there: install Debian's package {package} (`apt-get install {package}`)."""

    code = "program_missing"


class ProcessEndedError(GatewayError):
    """{name} ended by itself with code {exit_code}; {log} says why."""

    code = "process_ended"
