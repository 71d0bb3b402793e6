"""Who is who between controllers and hosts: certificates, requests for them, and the tokens by which hosts join.

    Authority ── signs ──▶ certificates of hosts (clients only) and of controllers (servers only)
    JoinToken ── proves ──▶ a host to a controller, and the controller to the host, before there is a certificate
    Papers    ── a host's key, certificate and authority, in a folder of its own

Keys are P-256: short, and made in a millisecond. Nothing here opens a socket or knows the store.
"""
