"""The southbound session between agents and controllers: state machines without I/O, and gRPC around them.

`session` holds the rules of the conversation, `codec` its bytes; `server` and `client` move the bytes. Nothing here
knows the store or the datapath.
"""
