"""The host's services for its machines, names and metadata: ordinary servers in a network namespace of their own.

```
 machine ─▶ datapath: source becomes a peer ─▶ np-serve ══▶ [ np-serve-<instance>: machines, lo holds every address ]
 machine ◀─ datapath: peer becomes source  ◀─ np-serve ◀══       └─ sockets of the agent: 53/udp, 53/tcp, 80/tcp
```

Machines reach nothing else there, and the namespace reaches nothing but machines that have asked. Who asks is told by
the peer's address (`netplane.tables.peers`), whom was asked by the socket's own: the datapath leaves it as it was.
"""
