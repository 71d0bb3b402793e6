"""What all controllers must know to tell a good token from a bad one: the keys that sign, and what was revoked."""

from typing import Annotated

from netplane.model.record import Record, describe


class SigningKey(Record, frozen=True, kw_only=True, gc=False, tag="signing_key"):
    """A key that tokens are signed with, by name: the key itself is among the secrets, which are no records.

    The newest signs; older ones are good until their tokens have expired.
    """

    id: Annotated[str, describe("What tokens name it by.")]
    made_at: Annotated[int, describe("When it was made, in microseconds since 1970.")]


class Revocation(Record, frozen=True, kw_only=True, gc=False, tag="revocation"):
    """A token is void before its time. Its id is the token's audit id."""

    id: Annotated[str, describe("The audit id of the token.")]
    expires_at: Annotated[int, describe("When the token would have expired, in microseconds since 1970.")]
