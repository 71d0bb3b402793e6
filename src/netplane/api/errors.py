"""Errors as clients of OpenStack Networking know them: a status, a type and a sentence.

```
{"NeutronError": {"type": "NetworkNotFound", "message": "Network 7 could not be found.", "detail": ""}}
```

What one may not see is not found: an error never tells that another project's resource exists.
"""

from ipaddress import ip_address

from netplane.model import Record, kind_of
from netplane.store import Conflict, Exhausted, InUse, Malformed, Missing, StoreError, Unavailable, Unsettled


class ApiError(Exception):
    """A request that is refused; nothing was written."""

    def __init__(self, status: int, type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.message = message

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """The error as clients receive it."""
        return {"NeutronError": {"type": self.type, "message": self.message, "detail": ""}}


def invalid(message: str) -> ApiError:
    """A value that cannot be accepted."""
    return ApiError(400, "InvalidInput", f"Invalid input for operation: {message}.")


def bad_request(message: str) -> ApiError:
    """A request that cannot be understood."""
    return ApiError(400, "HTTPBadRequest", message)


def forbidden(message: str) -> ApiError:
    """Something that takes an administrator."""
    return ApiError(403, "PolicyNotAuthorized", message)


def conflict(type: str, message: str) -> ApiError:
    """A request that what exists forbids."""
    return ApiError(409, type, message)


def not_found(kind: type[Record], id: str) -> ApiError:
    """There is no such resource, or the caller may not see it."""
    return ApiError(404, f"{type_name(kind)}NotFound", f"{spoken(kind)} {id} could not be found.")


def in_use(kind: type[Record], id: str, error: InUse) -> ApiError:
    """A resource that cannot go. What uses it may be another project's: only its kind is told."""
    by = spoken_kind(error.kind).lower()
    return conflict(
        f"{type_name(kind)}InUse", f"Unable to complete operation on {spoken(kind).lower()} {id}. A {by} uses it."
    )


def type_name(kind: type[Record]) -> str:
    """`SecurityGroup` for a security group: how types of errors begin."""
    return kind.__name__


def spoken(kind: type[Record]) -> str:
    """`Security group` for a security group."""
    return spoken_kind(kind_of(kind))


def spoken_kind(kind: str) -> str:
    """The same for a kind's name."""
    return kind.replace("_", " ").capitalize()


def unavailable(outage: Unavailable) -> ApiError:
    """The database cannot serve. Clients may repeat what was not done; of one thing nobody knows whether it was."""
    if isinstance(outage, Unsettled):
        return ApiError(
            504, "OutcomeUnknown", "The database went away; whether the request was carried out is unknown."
        )
    return ApiError(503, "ServiceUnavailable", "The database cannot be reached; nothing was changed. Try again.")


def from_store(error: StoreError) -> ApiError:
    """What the store refused, in clients' words."""
    match error:
        case Conflict(space=space, value=value):
            return _claimed(space, value)
        case Missing(field=field, target=target):
            return ApiError(404, "NotFound", f"{field} {target} could not be found.")
        case Malformed(reason=reason):
            return invalid(reason)
        case Exhausted(space=space):
            return conflict("NoMoreValues", f"Nothing is free in {space}.")
        case _:
            return conflict("Conflict", str(error))


def _claimed(space: str, value: str) -> ApiError:
    name, _, place = space.partition(":")
    match name:
        case "mac":
            text = f"Unable to complete operation for network {place}. The mac address {value} is in use."
            return conflict("MacAddressInUse", text)
        case "address":
            text = f"Unable to complete operation for subnet {place}. The IP address {_address(value)} is in use."
            return conflict("IpAddressInUse", text)
        case "rule":
            return conflict("SecurityGroupRuleExists", f"Security group {place} already has this rule.")
        case "shared":
            return conflict("DuplicateRbacPolicy", "An RBAC policy already exists with those values.")
        case "prefix":
            text = "Failed to allocate subnet: Cannot allocate requested subnet from the available set of prefixes."
            return conflict("SubnetAllocationError", text)
        case "firewall-port":
            text = f"Port(s) {value} provided already associated with other firewall group(s)."
            return conflict("FirewallGroupPortInUse", text)
        case "default-group":
            return conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        case _:
            return conflict("Conflict", f"{value} in {space} is taken.")


def _address(claim: str) -> str:
    return str(ip_address(bytes.fromhex(claim)))
