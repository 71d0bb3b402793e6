"""Records as bytes and back."""

from typing import Any, cast

from msgspec.msgpack import Decoder, Encoder

from netplane.model import AnyStored, Record

_encoder = Encoder()
_decoder: Decoder[Any] = Decoder(AnyStored)

encode = _encoder.encode


def decode(body: bytes) -> Record:
    """The record in a body; msgspec.ValidationError if it is none."""
    return cast(Record, _decoder.decode(body))
