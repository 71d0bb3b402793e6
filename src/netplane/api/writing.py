"""The transaction of a call that writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from netplane.api.call import Call
from netplane.api.errors import from_store
from netplane.store import Store, StoreError, Transaction


@contextmanager
def writing(store: Store, call: Call) -> Iterator[Transaction]:
    """A transaction in the name of whoever calls; what the store refuses is an ApiError."""
    try:
        with store.write(call.context.actor, call.context.request) as transaction:
            yield transaction
    except StoreError as error:
        raise from_store(error) from error
