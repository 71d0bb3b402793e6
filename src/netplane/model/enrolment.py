"""Who may be a host: enrolments, and the tokens by which hosts get them. Only controllers know them."""

from collections.abc import Iterable
from typing import Annotated

from netplane.model.record import Claim, Record, describe

SPACE = "enrolment"
"""What enrolments claim hosts in."""


class Enrolment(Record, frozen=True, kw_only=True, gc=False, tag="enrolment"):
    """A host may have a session, by certificates that name this enrolment; those of a former one are void."""

    id: Annotated[str, describe("What its certificates name it by: 16 hexadecimal digits.")]
    host: Annotated[str, describe("The host's name. It may have joined and not come yet.")]
    enrolled_at: Annotated[str, describe("When the host joined, UTC.")]
    expires_at: Annotated[str, describe("When the youngest of its certificates expires, UTC.")]

    def claims(self) -> Iterable[Claim]:
        """The host: it has one enrolment."""
        return (Claim(SPACE, self.host),)


class JoinToken(Record, frozen=True, kw_only=True, gc=False, tag="join_token"):
    """Lets hosts join until it is used up, or has expired. Its secret is kept nowhere."""

    host_id: Annotated[str, describe("The only host that it lets join; empty for any that has not joined before.")] = ""
    uses: Annotated[int, describe("How many more hosts it lets join.")]
    expires_at: Annotated[str, describe("Until when it serves, UTC.")]
