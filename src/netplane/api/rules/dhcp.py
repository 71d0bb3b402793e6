"""DHCP options of ports."""

from collections.abc import Sequence

from netplane.api.bodies import DhcpOptionWish
from netplane.api.errors import ApiError
from netplane.model import DhcpOption
from netplane.model.dhcp import code_of, encode_option

MOST = 32
"""Options of one port; what does not fit into an answer is not told."""

NAME = 255
Key = tuple[int, int | str]
"""IP version and what identifies an option there: `67` is `bootfile-name`."""


def merge_options(before: Sequence[DhcpOption], wishes: Sequence[DhcpOptionWish] | None) -> tuple[DhcpOption, ...]:
    """A port's options after a request that names some: as in Neutron, the others stay. 400 for what makes no sense."""
    options = {_key(option): option for option in before}
    named = [_key(wish) for wish in wishes or ()]
    if len(set(named)) < len(named):
        raise refused("an option is named twice")
    for key, wish in zip(named, wishes or (), strict=True):
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
    if option.ip_version not in (4, 6):
        raise refused(f"'{option.ip_version}' is no IP version")
    if option.ip_version == 6:
        return 6, _check_name(option.opt_name)
    try:
        return 4, code_of(option.opt_name)
    except ValueError as error:
        raise refused(str(error)) from error


def _check(option: DhcpOption) -> DhcpOption:
    if option.ip_version == 6:
        _check_text(option.opt_value)
        return option
    try:
        encode_option(option)
    except ValueError as error:
        raise refused(str(error)) from error
    return option


def _check_name(name: str) -> str:
    if not name or len(name) > NAME or not (name.isascii() and name.isprintable()):
        raise refused(f"{name!r} is not the name of an option")
    return name.lower()


def _check_text(text: str) -> None:
    if not text or not text.isprintable():
        raise refused(f"{text!r} is not a text of printable characters")
