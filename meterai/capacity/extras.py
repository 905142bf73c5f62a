"""Libraries of the extra `capacity`, without which the rest of the platform works."""

from collections.abc import Sequence
from importlib.util import find_spec

from meterai.kit.refusal import CommandRefusal


class ExtraMissing(CommandRefusal):
    """A command needs libraries that are installed with an extra, and they are not there."""

    code = "extra_missing"
    status = 500

    def __init__(self, extra: str, libraries: Sequence[str]) -> None:
        super().__init__(f"{extra}: {', '.join(libraries)}")
        self.extra = extra
        self.libraries = ", ".join(libraries)


def require(*modules: str) -> None:
    """Refuses `ExtraMissing` where one of these modules cannot be imported; imports none of them."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ExtraMissing("capacity", missing)
