"""How clients are listened to: TLS, what a connection may cost, how often a project may ask, and what answers carry.

sockets ── Guarded (sizes, times, connections) ─▶ Hardened (headers) ─▶ Door (who calls) ─▶ Paced (how often) ─▶ routes
"""
