"""The server: it composes store, interest, sessions and HTTP, and adds nothing that they could know."""
