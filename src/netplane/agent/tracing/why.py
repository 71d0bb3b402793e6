"""Each reason of the datapath in a sentence for an operator."""

from collections.abc import Mapping

from netplane.tables.decisions import Reason

WHY: Mapping[Reason, str] = {
    Reason.NONE: "nothing is in its way",
    Reason.NO_PORT: "no port is plugged into the device",
    Reason.MALFORMED: "the packet is malformed or cut short",
    Reason.UNSUPPORTED: "it is neither ARP nor IPv4",
    Reason.SPOOFED_MAC: "it comes from a MAC address that is not the port's",
    Reason.SPOOFED_ARP: "it speaks ARP for an address that is not the port's",
    Reason.SPOOFED_ADDRESS: "it comes from an IP address that is not the port's",
    Reason.ARP_UNKNOWN: "it asks for an address that nobody else on the network has",
    Reason.ARP_NOT_ASKED: "it is an ARP answer, which machines need not give",
    Reason.ROGUE_DHCP: "it is a DHCP answer, which only the platform gives",
    Reason.MULTICAST: "it goes to a group of machines",
    Reason.FRAGMENT: "it is a fragment of a packet whose first fragment has not passed, or of a request to the agent",
    Reason.UNKNOWN_DESTINATION: "its destination MAC address is neither the address's owner nor a router",
    Reason.NO_ROUTE: "the router has no route to the address",
    Reason.NO_ENDPOINT: "nobody has the address",
    Reason.TTL_EXCEEDED: "its time to live has run out at the router",
    Reason.ROUTER_CLOSED: "the router itself answers nothing but pings",
    Reason.POLICY_OUT: "no security group rule of the sender allows it",
    Reason.POLICY_IN: "no security group rule of the receiver allows it",
    Reason.NO_CONNECTION: "it belongs to no connection and cannot open one",
    Reason.REVOKED: "its connection is no longer allowed",
    Reason.CONNECTIONS_FULL: "the connection table is full",
    Reason.NO_HOST: "the host that carries the address, or this one, has no number or address yet",
    Reason.NO_DEVICE: "the port that has the address is plugged in nowhere on this host",
    Reason.FORGED_SOURCE: "it comes by the tunnel from an address and MAC that are no machine's",
    Reason.FORGED_HOST: "it comes by the tunnel from a host that does not carry its source",
    Reason.NOT_HERE: "it comes by the tunnel for a machine of another host",
    Reason.FROM_TUNNEL: "it comes by the tunnel for a router, which every host answers for itself",
    Reason.PUNT_OFF: "the agent of the host has no punt device",
    Reason.PUNT_LIMIT: "the machine asks the agent more often than it may",
    Reason.SHARE_USED_UP: "the machine that sent it has opened as many connections as one may",
    Reason.NO_PROGRAM: "a part of the datapath is missing, so nothing more can be said of it",
}
