"""Where callers come from, one place behind another."""

from typing import NamedTuple, Protocol

from netplane.api.context import Context


class Source(Protocol):
    """Something that tells who a token belongs to."""

    def known(self, token: str) -> Context | None:
        """The caller, if that can be told at once; this is on the way of every request."""
        ...

    async def find(self, token: str) -> Context | None:
        """The caller, if this source knows the token at all."""
        ...


class Callers(NamedTuple):
    """Sources, in the order in which they are asked."""

    sources: tuple[Source, ...]

    async def caller(self, token: str) -> Context | None:
        """Who a token belongs to, or None."""
        if not token:
            return None
        for source in self.sources:
            known = source.known(token)
            if known is not None:
                return known
        for source in self.sources:
            found = await source.find(token)
            if found is not None:
                return found
        return None
