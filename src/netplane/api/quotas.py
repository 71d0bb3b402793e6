"""The calls about quotas, as OpenStack Networking has them.

| call | answer |
|---|---|
| `GET /v2.0/quotas` | the quotas of all projects that have one of their own |
| `GET /v2.0/quotas/{project}` | what holds for a project |
| `GET /v2.0/quotas/{project}/default` | what holds for a project of which nobody has said anything |
| `GET /v2.0/quotas/{project}/details` | also how much of it is used |
| `PUT /v2.0/quotas/{project}` | other limits, for the kinds that are named |
| `DELETE /v2.0/quotas/{project}` | the defaults again |
| `GET /v2.0/quotas/project` (or `tenant`) | whose the token is |
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import UNSET, Struct, UnsetType, defstruct
from msgspec.json import Decoder
from msgspec.structs import asdict, replace

from netplane.api.bodies import parse_struct
from netplane.api.call import Answer, Call
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, invalid
from netplane.api.limits import DEFAULTS
from netplane.api.policy import check_call
from netplane.model import Quota
from netplane.model.quota import MOST, UNLIMITED, quota_id
from netplane.store import Reader, Store, Transaction

MINE = ("tenant", "project")
"""What one may ask for instead of a project, to learn one's own."""


class Quotas(NamedTuple):
    """The calls, on a store, with the limits of whoever has no quota."""

    store: Store
    defaults: Mapping[str, int]

    def list(self, call: Call) -> Answer:
        """GET of all that have one."""
        check_call(call.context, "get_quota")
        with self.store.read() as reader:
            quotas = reader.list(Quota)
        shown = [{**self.defaults, **quota.limits, **_owner(quota)} for quota in quotas]
        return Answer(200, {"quotas": shown})

    def mine(self, call: Call, name: str) -> Answer:
        """GET of whose the token is."""
        if not call.context.project:
            raise bad_request("Tenant-id was missing from quota request.")
        return Answer(200, {name: {f"{name}_id": call.context.project}})

    def show(self, call: Call, project: str) -> Answer:
        """GET of one."""
        _check_seen(call.context, project)
        with self.store.read() as reader:
            return Answer(200, {"quota": self._limits(reader, project)})

    def default(self, call: Call, project: str) -> Answer:
        """GET of what holds without one."""
        _check_seen(call.context, project)
        return Answer(200, {"quota": dict(self.defaults)})

    def details(self, call: Call, project: str) -> Answer:
        """GET of one, and of what is used."""
        _check_seen(call.context, project)
        with self.store.read() as reader:
            limits, used = self._limits(reader, project), reader.used(project)
        shown = {kind: {"limit": limit, "used": used.get(kind, 0), "reserved": 0} for kind, limit in limits.items()}
        return Answer(200, {"quota": shown})

    def update(self, call: Call, project: str) -> Answer:
        """PUT: other limits than the defaults."""
        check_call(call.context, "update_quota")
        wish = _parse(call.body)
        with self.store.write(call.context.actor, call.context.request) as transaction:
            if wish.pop("check_limit"):
                self._check_used(transaction, project, wish)
            quota = transaction.get(Quota, quota_id(project)) or Quota(id=quota_id(project), project_id=project)
            transaction.put(replace(quota, limits={**quota.limits, **wish}))
            shown = self._limits(transaction.reader, project)
        return Answer(200, {"quota": shown}, transaction.revision)

    def delete(self, call: Call, project: str) -> Answer:
        """DELETE: the defaults hold again."""
        check_call(call.context, "delete_quota")
        with self.store.write(call.context.actor, call.context.request) as transaction:
            quota = transaction.get(Quota, quota_id(project))
            if quota is None:
                raise ApiError(404, "TenantQuotaNotFound", f"Quota for tenant {project} could not be found.")
            transaction.delete(quota)
        return Answer(204, None, transaction.revision)

    def _limits(self, reader: Reader, project: str) -> dict[str, int]:
        quota = reader.get(Quota, quota_id(project))
        return {**self.defaults, **(quota.limits if quota else {})}

    def _check_used(self, transaction: Transaction, project: str, wish: Mapping[str, int]) -> None:
        used = transaction.reader.used(project)
        for kind, limit in wish.items():
            if 0 <= limit < used.get(kind, 0):
                text = f"Quota limit {limit} for {kind} must be greater than or equal to already used {used[kind]}"
                raise bad_request(text)


def _owner(quota: Quota) -> dict[str, str]:
    return {"project_id": quota.project_id, "tenant_id": quota.project_id}


_Limits = defstruct(
    "Limits",
    [*((kind, int | UnsetType, UNSET) for kind in DEFAULTS), ("check_limit", bool, False), ("force", bool, False)],
    kw_only=True,
    forbid_unknown_fields=True,
)


class Body(Struct, frozen=True):
    """What a PUT says."""

    quota: _Limits  # type: ignore[valid-type]


_body = Decoder(Body, strict=False)


def _parse(body: bytes) -> dict[str, Any]:
    """Limits by kind, and whether they must not be exceeded already (`check_limit`)."""
    wish = {name: value for name, value in asdict(parse_struct(_body, body).quota).items() if value is not UNSET}
    del wish["force"]
    for kind, limit in wish.items():
        if kind != "check_limit" and not UNLIMITED <= limit <= MOST:
            raise invalid(f"'{limit}' of '{kind}' is not in the range [{UNLIMITED}, {MOST}]")
    return wish


def _check_seen(context: Context, project: str) -> None:
    """A project's own quota is no secret to it."""
    if project != context.project:
        check_call(context, "get_quota")
