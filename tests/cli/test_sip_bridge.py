"""`notice-gateway sip-bridge`, as far as it refuses to start; what it does is in tests/providers/sip/bridge."""

import socket

from tests.cli.command_line import CommandLine

SECRET = "a-secret-of-the-command"


def test_without_a_secret_it_says_which_setting_is_missing(commands: CommandLine) -> None:
    assert commands.refuse("sip-bridge").startswith("NOTICE_GATEWAY_SIP_SECRET: it is not set")


def test_a_secret_that_is_too_short_is_refused(commands: CommandLine) -> None:
    assert commands.refuse("sip-bridge", sip_secret="short").startswith("NOTICE_GATEWAY_SIP_SECRET: ")


def test_an_address_that_is_taken_is_named_by_its_setting(commands: CommandLine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        here = f"127.0.0.1:{taken.getsockname()[1]}"
        told = commands.refuse("sip-bridge", sip_secret=SECRET, sip_dtmf_listen=here)
    assert told.startswith(f"NOTICE_GATEWAY_SIP_DTMF_LISTEN: {here} cannot be listened on")


def test_a_folder_that_rtpengine_could_misread_is_refused(commands: CommandLine) -> None:
    told = commands.refuse("sip-bridge", sip_secret=SECRET, sip_sounds_dir="/srv/with a space")
    assert told.startswith("NOTICE_GATEWAY_SIP_SOUNDS_DIR: ")
