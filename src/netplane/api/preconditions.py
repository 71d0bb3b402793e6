"""`If-Match: revision_number=N`: a change of what the client has seen, and of nothing newer."""

from netplane.api.errors import ApiError
from netplane.model.resource import Resource

SIGN = "revision_number="
MOST_DIGITS = 19
"""Of a revision number: what a database's integer has. Python refuses to read thousands."""


def parse_if_match(header: str | None) -> int | None:
    """The revision number that a request insists on; None if it does not. 400 if it cannot be understood."""
    if not header:
        return None
    asked = [tag for part in header.split(",") if (tag := part.strip().strip('"')).startswith(SIGN)]
    if not asked:
        return None
    if len(asked) > 1:
        raise _bad("Multiple revision_number etags are not supported")
    number = asked[0].removeprefix(SIGN)
    if not number.isascii() or not number.isdecimal() or len(number) > MOST_DIGITS:
        raise _bad("Revision number etag must be in the format of revision_number=<int>")
    return int(number)


def check_revision(asked: int | None, record: Resource) -> None:
    """412 unless the resource is as the client has seen it."""
    if asked is not None and asked != record.revision_number:
        text = f"Constrained to {asked}, but current revision is {record.revision_number}"
        raise ApiError(412, "RevisionNumberConstraintFailed", text)


def _bad(text: str) -> ApiError:
    return ApiError(400, "BadRequest", f"Bad if-match request: {text}.")
