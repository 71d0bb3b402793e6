"""The rings of the datapath: what it tells the agent as it happens."""

from netplane.tables.schema import Field, FieldType, Ring

U8, U16, U32, U64 = FieldType.U8, FieldType.U16, FieldType.U32, FieldType.U64
BE16, MAC, ADDRESS = FieldType.BE16, FieldType.MAC, FieldType.ADDRESS

DECISION = Ring(
    "decision",
    "What was decided about packets of ports that log it: connections let pass, once each, and packets dropped.",
    (
        Field("time", U64, "When, in ns of CLOCK_MONOTONIC."),
        Field("unlogged", U64, "As in the port's `logging`: decisions before this one that were not written down."),
        Field("source", ADDRESS, "Who sent the packet."),
        Field("destination", ADDRESS, "Whom it was for."),
        Field("vni", U32, "The port's network."),
        Field("mac", MAC, "The port's MAC address."),
        Field("reason", U16, "Reason; 0 if it was let pass."),
        Field("rule", U32, "The rule that let it pass, as in `policy`; 0 if dropped."),
        Field("identity", U32, "The port's identity."),
        Field("remote", U32, "The other side's identity; 0 for none, or if it is not known."),
        Field("source_port", BE16, "The source port, or the ICMP echo identifier."),
        Field("service", BE16, "What rules speak of: the destination port, or ICMP type and code."),
        Field("protocol", U8, "The IP protocol."),
        Field("direction", U8, "Direction."),
        Field("pad", U16),
    ),
    size=262_144,
)
RINGS: tuple[Ring, ...] = (DECISION,)
