"""What a plugin says when it cannot do what it was asked for: the specification's codes, and two of our own."""

from enum import IntEnum


class Code(IntEnum):
    """CNI specification 1.1, section 5, "Error"; from 100 a plugin's own."""

    INCOMPATIBLE_VERSION = 1
    UNSUPPORTED_FIELD = 2
    UNKNOWN_CONTAINER = 3
    INVALID_ENVIRONMENT = 4
    INPUT_OUTPUT = 5
    UNDECODABLE = 6
    INVALID_CONFIGURATION = 7
    TRY_AGAIN_LATER = 11
    NOT_AVAILABLE = 50
    INTERFACE_DIFFERS = 100
    """The container's interface is another's, or not as it was made."""
    REFUSED = 101
    """The controller refused the port, for instance because no address is left."""
    INTERNAL = 999
    """A fault of the plugin itself, as the reference plugins number it."""


class CniError(Exception):
    """A call that fails; `details` may say more than the message."""

    def __init__(self, code: Code, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.details = details

    def body(self, version: str) -> dict[str, object]:
        """The error as runtimes read it."""
        said: dict[str, object] = {"cniVersion": version, "code": int(self.code), "msg": str(self)}
        return said | ({"details": self.details} if self.details else {})
