"""Names of ports and domains of networks, as OpenStack Networking takes them (RFC 952, RFC 1123 section 2.1)."""

import re
from collections.abc import Sequence

from netplane.api.bodies import Wish
from netplane.api.errors import ApiError, invalid
from netplane.api.rules.kind import Services
from netplane.model import Port

LABEL = re.compile(r"[a-z0-9-]{1,63}")
LONGEST = 255
"""Characters of a name with all its labels."""


def with_names(services: Services, wish: Wish) -> Wish:
    """The wish with its `dns_name` and `dns_domain` in lower case; 400 if they are none."""
    if wish.get("dns_name"):
        wish = wish | {"dns_name": _check_name(wish["dns_name"].lower(), services.dns_domain)}
    if wish.get("dns_domain"):
        wish = wish | {"dns_domain": _check_domain(wish["dns_domain"].lower())}
    return wish


def assignment(port: Port, dns_domain: str) -> list[dict[str, str]]:
    """What each address of a port is called."""
    return [_called(port, fixed.ip_address, dns_domain) for fixed in port.fixed_ips]


def qualified(domain: str) -> str:
    """A domain with its final dot, lower case; empty stays empty. ValueError if it is none."""
    text = domain.lower()
    if not text:
        return ""
    try:
        return _check_domain(text if text.endswith(".") else f"{text}.")
    except ApiError as error:
        raise ValueError(str(error)) from error


def _called(port: Port, address: str, dns_domain: str) -> dict[str, str]:
    hostname = port.dns_name or "host-" + address.replace(".", "-").replace(":", "-")
    is_whole = hostname.endswith(".") or not dns_domain
    return {"ip_address": address, "hostname": hostname, "fqdn": hostname if is_whole else f"{hostname}.{dns_domain}"}


def _check_name(name: str, domain: str) -> str:
    _check_labels("dns_name", name)
    if not name.endswith("."):
        if len(name) + len(domain) + 1 > LONGEST:
            raise invalid(f"dns_name '{name}' and dns_domain '{domain}' together exceed {LONGEST} characters")
    elif domain and not name.endswith(f".{domain}"):
        text = f"The dns_name passed is a FQDN. Its higher level labels must be equal to the dns_domain '{domain}'"
        raise invalid(f"dns_name '{name}': {text}")
    return name


def _check_domain(domain: str) -> str:
    if not domain.endswith("."):
        raise invalid(f"dns_domain '{domain}' is not a FQDN")
    _check_labels("dns_domain", domain)
    if len(domain) > LONGEST - 2:
        text = "Adding a sub-domain will cause it to exceed the maximum length of a FQDN"
        raise invalid(f"dns_domain '{domain}': {text} of {LONGEST}")
    return domain


def _check_labels(field: str, text: str) -> None:
    reason = _why_not(text.removesuffix(".").split("."), len(text.removesuffix(".")))
    if reason:
        raise invalid(f"{field} '{text}' not a valid PQDN or FQDN. Reason: {reason}")


def _why_not(labels: Sequence[str], length: int) -> str:
    """What is wrong with a name; nothing if it is right."""
    if length > LONGEST:
        return f"it exceeds the {LONGEST} character FQDN limit"
    for label in labels:
        if not label:
            return "Encountered an empty component"
        if label.startswith("-") or label.endswith("-"):
            return f"Name '{label}' must not start or end with a hyphen"
        if not LABEL.fullmatch(label):
            text = "must be 1-63 characters long, each of which can only be alphanumeric or a hyphen"
            return f"Name '{label}' {text}"
    if len(labels) > 1 and labels[-1].isdigit():
        return f"TLD '{labels[-1]}' must not be all numeric"
    return ""
