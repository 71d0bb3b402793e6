"""Names of machines, answered on the host (RFC 1034, 1035, 6891), and everything else passed on to resolvers.

```
 machine ─▶ serving ──▶ messages ─▶ answers ── ours ─────────────▶ machine
            (UDP, TCP)   (EDNS)      (directory: the slice's names)
                                     └───────── not ours ─▶ upstream ─▶ the subnet's resolvers, or the host's
```
"""
