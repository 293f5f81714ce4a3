"""Modules that are loaded when something of them is first used, for what only few runs of a program need.

Most commands are over in a moment, and loading a library takes up to an eighth of a second: numpy to look at speech,
alembic to migrate, what signs webhooks to play Twilio's part. Who needs such a module writes, and nowhere else than at
its top,

    if TYPE_CHECKING:
        from gateway.audio import utterance
    else:
        utterance = late("gateway.audio.utterance")

so that mypy and the import contracts see a plain import. It is not for what a call needs: a server has that loaded
before it answers.
"""

from importlib import import_module
from types import ModuleType


class _Late(ModuleType):
    """Stands for a module; whatever is asked of it, the module itself answers."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


def late(name: str) -> ModuleType:
    """Return what stands for the module `name`, which is loaded by the first use of something of it."""
    return _Late(name)
