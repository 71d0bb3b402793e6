"""What a port may send besides its own: whether port security holds it at all, and its allowed address pairs."""

from netplane.api.bodies import Wish
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.rules.macs import check_mac
from netplane.api.rules.ranges import loose_range
from netplane.model import AddressPair, Network, Port

MOST_PAIRS = 10
"""As OpenStack Networking's `max_allowed_address_pair` has it."""


def secure_new(network: Network, wish: Wish) -> None:
    """Settle what a new port wishes: its network's default, or security if it has an address and names groups."""
    if "port_security_enabled" not in wish:
        is_meant = bool(wish["fixed_ips"]) and bool(wish.get("security_groups"))
        wish["port_security_enabled"] = is_meant or network.port_security_enabled
    wish["allowed_address_pairs"] = pairs = parse_pairs(wish, wish["mac_address"])
    if not wish["port_security_enabled"]:
        if pairs:
            raise _pairs_need_security()
        if wish.setdefault("security_groups", ()):
            raise _groups_need_security()


def secure(port: Port, wish: Wish) -> None:
    """Check what an update makes of a port; pairs are replaced as a whole."""
    if "allowed_address_pairs" in wish:
        wish["allowed_address_pairs"] = parse_pairs(wish, wish.get("mac_address", port.mac_address))
    if wish.get("port_security_enabled", port.port_security_enabled):
        return
    if wish.get("allowed_address_pairs", port.allowed_address_pairs):
        raise _pairs_need_security()
    if wish.get("security_groups"):
        raise _groups_need_security()
    if "security_groups" not in wish and port.security_groups:
        text = (
            "Port has security group associated. Cannot disable port security or IP address until security group is "
            "removed."
        )
        raise conflict("PortSecurityPortHasSecurityGroup", text)


def parse_pairs(wish: Wish, mac: str) -> tuple[AddressPair, ...]:
    """The pairs that a port wishes for, each once; `mac` stands where a pair names none."""
    wanted = wish.get("allowed_address_pairs") or ()
    if len(wanted) > MOST_PAIRS:
        text = f"The number of allowed address pair exceeds the maximum {MOST_PAIRS}."
        raise ApiError(400, "AllowedAddressPairExhausted", text)
    pairs: list[AddressPair] = []
    for one in wanted:
        pair = AddressPair(_check_address(one.ip_address), check_mac(one.mac_address) if one.mac_address else mac)
        if pair in pairs:
            text = (
                f"Request contains duplicate address pair: mac_address {pair.mac_address} ip_address {pair.ip_address}."
            )
            raise ApiError(400, "DuplicateAddressPairInRequest", text)
        pairs.append(pair)
    return tuple(pairs)


def _check_address(text: str) -> str:
    """An address or a range, in the words in which it was said."""
    try:
        range = loose_range(text)
    except ValueError as error:
        raise invalid(f"'{text}' of 'allowed_address_pairs' is neither an IP address nor a range") from error
    if range.is_multicast or (range.num_addresses == 1 and range[0].is_unspecified):
        raise invalid(f"'{text}' of 'allowed_address_pairs' is no address that a machine can have")
    return text


def _pairs_need_security() -> ApiError:
    text = "Port Security must be enabled in order to have allowed address pairs on a port."
    return conflict("AddressPairAndPortSecurityRequired", text)


def _groups_need_security() -> ApiError:
    text = "Port security must be enabled and port must have an IP address in order to use security groups."
    return ApiError(400, "PortSecurityAndIPRequiredForSecurityGroups", text)
