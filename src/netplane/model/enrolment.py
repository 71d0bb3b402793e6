"""Who may be a host: enrolments, and the tokens by which hosts get them. Only controllers know them."""

from typing import Annotated

from netplane.model.record import Record, describe


class Enrolment(Record, frozen=True, kw_only=True, gc=False, tag="enrolment"):
    """A host may have a session, by certificates of this enrolment. Its id is the host's name; without it nobody is."""

    series: Annotated[str, describe("What its certificates name: those of a former enrolment of the host are void.")]
    enrolled_at: Annotated[str, describe("When the host joined, UTC.")]
    expires_at: Annotated[str, describe("When the youngest of its certificates expires, UTC.")]


class JoinToken(Record, frozen=True, kw_only=True, gc=False, tag="join_token"):
    """Lets hosts join until it is used up, or has expired. Its secret is kept nowhere."""

    host_id: Annotated[str, describe("The only host that it lets join; empty for any that has not joined before.")] = ""
    uses: Annotated[int, describe("How many more hosts it lets join.")]
    expires_at: Annotated[str, describe("Until when it serves, UTC.")]
