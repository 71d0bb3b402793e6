"""What belongs to a resource and is written within it, though the API has it elsewhere. Pure."""

from typing import Any, NamedTuple

Item = dict[str, Any]


class Part(NamedTuple):
    """One such list: of resources, made and deleted whole, or of what actions of the API add and remove."""

    fields: tuple[str, ...]
    """What an item may say, by the names that the API has."""
    shown_as: str = ""
    """The field of the resource's view that has the items; none if they are found apart from it."""
    kind: str = ""
    """The items' kind, if they are resources."""
    parent: str = ""
    """Their field that names what they belong to."""
    add: str = ""
    remove: str = ""
    plain: str = ""
    """The field that an item is if it is a text alone: `interfaces: [web]`."""
    wrap: str = ""
    """The key of the list in an action's body; without it, the body is the item."""
    handle: str = ""
    """The field by which an item is removed."""


RULE = {
    "direction": None,
    "ethertype": "IPv4",
    "protocol": None,
    "port_range_min": None,
    "port_range_max": None,
    "remote_ip_prefix": None,
    "remote_group_id": None,
    "remote_address_group_id": None,
}
"""What distinguishes one rule of a security group from another, and what each is if it is not said."""


PARTS = {
    "security_group": {
        "rules": Part(
            fields=(*RULE, "description"),
            shown_as="security_group_rules",
            kind="security_group_rule",
            parent="security_group_id",
        )
    },
    "router": {
        "interfaces": Part(
            fields=("subnet_id", "port_id"),
            add="add_router_interface",
            remove="remove_router_interface",
            plain="subnet",
            handle="subnet_id",
        )
    },
    "trunk": {
        "sub_ports": Part(
            fields=("port_id", "segmentation_type", "segmentation_id"),
            shown_as="sub_ports",
            add="add_subports",
            remove="remove_subports",
            wrap="sub_ports",
            handle="port_id",
        )
    },
}


def parts_of(kind: str) -> dict[str, Part]:
    """The parts of a kind by name."""
    return PARTS.get(kind, {})


def full_item(part: Part, item: Item) -> Item:
    """An item with all that is meant though not said, so that two items that mean the same are equal."""
    if part.kind != "security_group_rule":
        return item
    full = {name: item.get(name, default) for name, default in RULE.items()}
    if "ethertype" not in item and ":" in str(full["remote_ip_prefix"]):
        full["ethertype"] = "IPv6"
    return full


def is_left_alone(part: Part, item: Item, wanted: list[Item]) -> bool:
    """Whether an item may stand though it is not wanted.

    A group lets everything out unless it is told otherwise: the two rules that say so stay until there are others.
    """
    if part.kind != "security_group_rule" or any(each.get("direction") == "egress" for each in wanted):
        return False
    return all(item.get(name) is None for name in RULE if name not in ("direction", "ethertype")) and (
        item["direction"] == "egress"
    )
