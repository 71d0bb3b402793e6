"""The southbound session between agents and controllers: state machines without I/O, and TLS around them.

`session` holds the rules of the conversation, `codec` its bytes; `connection` moves frames, for `server` and `client`.
Nothing here knows the store or the datapath.
"""
