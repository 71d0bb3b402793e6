"""Names of ports and domains of networks: taken from a wish, and told of an address."""

from netplane.api.bodies import Wish
from netplane.api.naming import check_domain, check_name
from netplane.api.rules.kind import Services
from netplane.model import Port


def with_names(services: Services, wish: Wish) -> Wish:
    """The wish with its `dns_name` and `dns_domain` in lower case; 400 if they are none."""
    if wish.get("dns_name"):
        wish = wish | {"dns_name": check_name(wish["dns_name"].lower(), services.dns_domain)}
    if wish.get("dns_domain"):
        wish = wish | {"dns_domain": check_domain(wish["dns_domain"].lower())}
    return wish


def assignment(port: Port, dns_domain: str) -> list[dict[str, str]]:
    """What each address of a port is called."""
    return [_called(port, fixed.ip_address, dns_domain) for fixed in port.fixed_ips]


def _called(port: Port, address: str, dns_domain: str) -> dict[str, str]:
    hostname = port.dns_name or "host-" + address.replace(".", "-").replace(":", "-")
    is_whole = hostname.endswith(".") or not dns_domain
    return {"ip_address": address, "hostname": hostname, "fqdn": hostname if is_whole else f"{hostname}.{dns_domain}"}
