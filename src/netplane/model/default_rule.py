"""Default security group rules: templates of the rules that new security groups begin with."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import Claim, OnDelete, Reference, describe
from netplane.model.security import Terms

PARENT = "PARENT"
"""As the remote group of a template: the group that the rule will be in."""


class DefaultSecurityGroupRule(Terms, frozen=True, kw_only=True, gc=False, tag="default_security_group_rule"):
    """A rule that new groups get, those there are already not. It belongs to no project, and everybody sees it."""

    collection: ClassVar[str] = "default-security-group-rules"
    is_owned: ClassVar[bool] = False

    remote_group_id: Annotated[
        str | None,
        describe(
            "The group the other side is in, `PARENT` for the group that gets the rule; null for any.", create=True
        ),
    ] = None
    used_in_default_sg: Annotated[bool, describe("Whether the default groups of new projects get it.", create=True)] = (
        False
    )
    used_in_non_default_sg: Annotated[bool, describe("Whether other new groups get it.", create=True)] = True

    def references(self) -> Iterable[Reference]:
        """The remote group, with which it goes, and the address group, which stays for it."""
        if self.remote_group_id not in (None, PARENT):
            yield Reference("remote_group_id", "security_group", self.remote_group_id or "", OnDelete.CASCADE)
        if self.remote_address_group_id is not None:
            yield Reference("remote_address_group_id", "address_group", self.remote_address_group_id)

    def claims(self) -> Iterable[Claim]:
        """What it says, once for each sort of groups, in whatever words."""
        if self.used_in_default_sg:
            yield Claim("default-rule:default", self.meaning)
        if self.used_in_non_default_sg:
            yield Claim("default-rule:other", self.meaning)
