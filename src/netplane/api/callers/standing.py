"""What a user may do somewhere, as the store has it now."""

from typing import NamedTuple

from netplane.api.callers.seal import Claims
from netplane.api.context import Context, roles
from netplane.model import ApplicationCredential, Assignment, Project, Revocation, User
from netplane.model.identity import DOMAIN, SYSTEM
from netplane.store import Reader


class Standing(NamedTuple):
    """A token's user, where the token is for, and which roles that user has there."""

    user: User
    scope: str
    """As in the token's claims."""
    project: Project | None
    roles: frozenset[str]
    """Implied ones included; empty for a token that is for nothing."""
    credential: ApplicationCredential | None
    rests_on: frozenset[str]
    """The ids of the records that this would be another without."""

    @property
    def context(self) -> Context:
        """The caller."""
        project = "" if self.project is None else self.project.id
        return Context(project, self.roles, self.user.name, is_system=self.scope == SYSTEM, user=self.user.id)


def stand(
    reader: Reader, user: User, scope: str, credential: ApplicationCredential | None, now: int
) -> Standing | None:
    """What a user may do; None for one who may not even be here. `now` is in microseconds since 1970."""
    if not user.enabled:
        return None
    held = [one for one in reader.find(Assignment, "user_id", user.id) if one.target == scope]
    found, rests_on = roles(one.role for one in held), {user.id, scope, *(one.id for one in held)}
    if not scope:
        return Standing(user, scope, None, frozenset(), None, frozenset({user.id}))
    if credential is not None:
        if credential.project_id != scope or credential.user_id != user.id or 0 < credential.expires_at <= now:
            return None
        found, rests_on = found & roles(credential.roles), rests_on | {credential.id}
    project = None if scope in (DOMAIN, SYSTEM) else reader.get(Project, scope)
    is_gone = scope not in (DOMAIN, SYSTEM) and (project is None or not project.enabled)
    return None if is_gone or not found else Standing(user, scope, project, found, credential, frozenset(rests_on))


def stand_by(reader: Reader, claims: Claims, now: int) -> Standing | None:
    """What the bearer of a token may do; None if the token is not good any more."""
    if claims.expires <= now or any(reader.get(Revocation, id) for id in (claims.audit, claims.root) if id):
        return None
    user = reader.get(User, claims.user)
    if user is None or user.epoch != claims.epoch:
        return None
    credential = reader.get(ApplicationCredential, claims.credential) if claims.credential else None
    if claims.credential and credential is None:
        return None
    found = stand(reader, user, claims.scope, credential, now)
    return found and found._replace(rests_on=found.rests_on | {claims.audit, claims.root} - {""})
