"""Entries as people read them: one line each, with names for numbers wherever there are names.

Golden tests, `netplane status` and the documentation show tables through these functions, so renumbering an enum
changes none of them. Lines stand in the order of their keys' fields, numbers as numbers.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from netplane.base.addresses import unpack_address, unpack_mac, unpack_prefix
from netplane.tables.decisions import (
    Action,
    Class,
    ConnectionFlag,
    ConnectionState,
    DeviceFlag,
    Direction,
    EndpointFlag,
    Family,
    Limit,
    PortFlag,
    Reason,
    Remote,
    Stage,
)
from netplane.tables.pipeline import BY_NAME, POLICY, TABLES
from netplane.tables.schema import Field, FieldType, Kind, Table

PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}
"""The protocols whose ports the datapath reads."""

NAMES: dict[str, type[IntEnum]] = {
    "direction": Direction,
    "family": Family,
    "state": ConnectionState,
    "stage": Stage,
    "reason": Reason,
}
FLAGS: dict[str, type[IntEnum]] = {
    "device": DeviceFlag,
    "peer": DeviceFlag,
    "endpoint": EndpointFlag,
    "pair": EndpointFlag,
    "range": EndpointFlag,
    "port": PortFlag,
    "connection": ConnectionFlag,
}


def show_tables(tables: Mapping[str, Mapping[bytes, bytes]]) -> str:
    """All tables that have entries, each under its name, in the order of the pipeline."""
    parts = []
    for table in TABLES:
        if entries := tables.get(table.name):
            parts.append("\n".join([table.name, *(f"  {line}" for line in show_entries(table.name, entries))]) + "\n")
    return "\n".join(parts)


def show_entries(table: str, entries: Mapping[bytes, bytes]) -> list[str]:
    """The entries of a table, a line each."""
    declared = BY_NAME[table]

    def order(key: bytes) -> tuple[Any, ...]:
        fields = tuple(declared.unpack_key(key).values())
        # The length of a prefix comes first in its key, and last in what a reader looks for.
        return (*fields[1:], fields[0]) if declared.kind is Kind.LPM else fields

    return [show_entry(table, key, entries[key]) for key in sorted(entries, key=order)]


def show_entry(table: str, key: bytes, value: bytes) -> str:
    """One entry, as `key -> value`."""
    return f"{show_key(table, key)} -> {show_value(table, value)}"


def show_key(table: str, key: bytes) -> str:
    """A key's fields, as `name=value` each."""
    declared = BY_NAME[table]
    fields = declared.unpack_key(key)
    if declared is POLICY:
        return _join(_policy(fields))
    if declared.kind is Kind.LPM:
        return _join(_lpm(declared, fields))
    shown = _plain(declared, declared.key.fields, fields)
    if table == "hop":
        prefix = unpack_prefix(fields["address"], fields["length"])
        return _join({"router": shown["router"], "prefix": prefix, "index": shown["index"]})
    return _join(shown)


def show_value(table: str, value: bytes) -> str:
    """A value's fields, as `name=value` each."""
    declared = BY_NAME[table]
    fields = declared.unpack_value(value)
    if table == "prefix":
        return f"prefix={unpack_prefix(fields['address'], fields['length'])}"
    if table == "route":
        return _join(_route(fields))
    if table == "firewall":
        return _join(_wall_rule(fields))
    if "rule" in fields:
        return f"rule={fields['rule']:08x}"
    return _join(_plain(declared, declared.value.fields, fields))


def _join(fields: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in fields.items())


def _plain(table: Table, layout: tuple[Field, ...], fields: Mapping[str, Any]) -> dict[str, str]:
    shown = (f for f in layout if not f.is_padding and (f.name != "firewall" or fields[f.name]))
    return {f.name: _field(table, f, fields[f.name]) for f in shown}


def _field(table: Table, declared: Field, value: Any) -> str:
    if shape := SHAPES.get(declared.type):
        return shape(value)
    if declared.name == "flags" and table.name in FLAGS:
        return _flags(FLAGS[table.name], value)
    if declared.name == "class":
        return _class(value)
    if declared.name == "protocol":
        return _protocol(value)
    if declared.name in ("stamp", "firewall"):
        return f"{value:016x}"
    return _name(NAMES[declared.name], value) if declared.name in NAMES else str(value)


def _port(value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


def _numbers(value: bytes) -> str:
    return ",".join(str(number) for number in memoryview(value).cast("I") if number)


SHAPES: dict[FieldType, Callable[[bytes], str]] = {
    FieldType.ADDRESS: unpack_address,
    FieldType.MAC: unpack_mac,
    FieldType.BE16: _port,
    FieldType.U32X16: _numbers,
}


def _name(names: type[IntEnum], value: int) -> str:
    return names(value).name if value in names._value2member_map_ else str(value)


def _flags(names: type[IntEnum], value: int) -> str:
    known = [flag for flag in names if flag & value]
    rest = value & ~sum(known)
    return "|".join([*(flag.name for flag in known), *([hex(rest)] if rest else [])]) or "0"


def _class(value: int) -> str:
    return f"DROPPED:{_name(Reason, value - Class.DROPPED)}" if value >= Class.DROPPED else _name(Class, value)


def _protocol(number: int) -> str:
    return PROTOCOL_NAMES.get(number, str(number))


def _lpm(table: Table, fields: Mapping[str, Any]) -> dict[str, str]:
    """A key that ends with an address: its bits count what stands before the address too."""
    length = fields["bits"] - 8 * (table.key.offsets()["address"] - FieldType.U32.size)
    before = {f.name: _field(table, f, fields[f.name]) for f in table.key.fields[1:-1]}
    return before | {"prefix": unpack_prefix(fields["address"], length)}


def _route(fields: Mapping[str, Any]) -> dict[str, str]:
    """A network that is connected, or how many next hops there are."""
    if fields["hops"] == Limit.NOWHERE:
        return {"hops": "nowhere"}
    if fields["hops"]:
        return {"hops": str(fields["hops"])}
    guard = {"firewall": f"{fields['firewall']:016x}"} if fields["firewall"] else {}
    return {"vni": str(fields["vni"]), "mac": unpack_mac(fields["mac"]), "mtu": str(fields["mtu"])} | guard


def _wall_rule(fields: Mapping[str, Any]) -> dict[str, str]:
    """What a rule of a firewall says, ranges as prefixes."""
    ends = {
        end: unpack_prefix(fields[end], int.from_bytes(fields[f"{end}_mask"], "big").bit_count())
        for end in ("source", "destination")
    }
    ports = {f"{end}_ports": f"{fields[f'{end}_first']}-{fields[f'{end}_last']}" for end in ends}
    protocol = _protocol(fields["protocol"]) if fields["protocol"] else "any"
    return {
        "action": _name(Action, fields["action"]).lower(),
        "protocol": protocol,
        **{name: text for name, text in (ends | ports).items() if text not in ("0.0.0.0/0", "::/0", "0-65535")},
        "family": _name(Family, fields["family"]),
        "rule": f"{fields['rule']:08x}",
    }


def _policy(fields: Mapping[str, Any]) -> dict[str, str]:
    return {
        "profile": str(fields["profile"]),
        "direction": _name(Direction, fields["direction"]),
        "remote": _remote(fields["kind"], fields["length"], fields["remote"]),
        **_match(fields["bits"] - 8 * (POLICY.key.offsets()["protocol"] - FieldType.U32.size), fields),
    }


def _remote(kind: int, length: int, remote: bytes) -> str:
    if kind == Remote.PREFIX:
        return unpack_prefix(remote, length)
    if kind in (Remote.IDENTITY, Remote.IDENTITY_IPV6):
        number = int.from_bytes(remote[:4], "big")
        return f"identity:{number}" + (":ipv6" if kind == Remote.IDENTITY_IPV6 else "")
    return _name(Remote, kind).lower()


def _match(bits: int, fields: Mapping[str, Any]) -> dict[str, str]:
    """What the last fields of a policy key say: `bits` of protocol (16) and port (16) count."""
    if bits <= 0:
        return {"protocol": "any"}
    protocol, first = _protocol(fields["protocol"]), int.from_bytes(fields["port"], "big")
    if bits == 16:
        return {"protocol": protocol}
    if protocol in ("icmp", "icmpv6"):
        return {"protocol": protocol, "type": str(first >> 8)} | ({"code": str(first & 255)} if bits == 32 else {})
    last = first + (1 << (32 - bits)) - 1
    return {"protocol": protocol, "port": str(first) if first == last else f"{first}-{last}"}
