"""DHCP options of ports."""

from collections.abc import Sequence

from netplane.api.bodies import DhcpOptionWish
from netplane.api.errors import ApiError
from netplane.model import DhcpOption, dhcp, dhcp6

MOST = 32
"""Options of one port; what does not fit into an answer is not told."""

MEANINGS = {4: dhcp, 6: dhcp6}
"""What options are, by IP version."""

Key = tuple[int, int]
"""IP version and number: `67` is `bootfile-name`."""


def merge_options(before: Sequence[DhcpOption], wishes: Sequence[DhcpOptionWish] | None) -> tuple[DhcpOption, ...]:
    """A port's options after a request that names some: as in Neutron, the others stay. 400 for what makes no sense."""
    if not wishes:
        return tuple(before)
    options = {_key(option): option for option in before}
    named = [_key(wish) for wish in wishes]
    if len(set(named)) < len(named):
        raise refused("an option is named twice")
    for key, wish in zip(named, wishes, strict=True):
        if wish.opt_value is None:
            options.pop(key, None)
        else:
            options[key] = _check(DhcpOption(wish.opt_name, wish.opt_value, wish.ip_version))
    if len(options) > MOST:
        raise refused(f"a port has at most {MOST} options")
    return tuple(options.values())


def refused(text: str) -> ApiError:
    """An option that cannot be accepted."""
    return ApiError(400, "ExtraDhcpOptBadData", f"Invalid data format for extra-dhcp-opt: {text}")


def _key(option: DhcpOption | DhcpOptionWish) -> Key:
    if option.ip_version not in MEANINGS:
        raise refused(f"'{option.ip_version}' is no IP version")
    try:
        return option.ip_version, MEANINGS[option.ip_version].code_of(option.opt_name)
    except ValueError as error:
        raise refused(str(error)) from error


def _check(option: DhcpOption) -> DhcpOption:
    try:
        MEANINGS[option.ip_version].encode_option(option)
    except ValueError as error:
        raise refused(str(error)) from error
    return option
