"""gzip streams that may be torn or damaged: everything before the damage comes out (pure)."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

GZIP: Final = 31
"""zlib's `wbits` for a gzip stream."""
_PIECE: Final = 1 << 17
"""Bytes that come out at a time, at most: a small file may inflate to a thousand times its size."""


def inflate(chunks: Iterator[bytes], losses: list[str]) -> Iterator[bytes]:
    """Inflate gzip streams (one after another), a bounded piece at a time; what is lost is told in `losses`."""
    inflater = zlib.decompressobj(GZIP)
    for compressed in chunks:
        while compressed:
            if inflater.eof:
                inflater = zlib.decompressobj(GZIP)
            before = inflater.copy()
            try:
                inflated = inflater.decompress(compressed, _PIECE)
            except zlib.error as error:
                yield from _inflate_to_error(before, compressed)
                wrong_sum = "data check" in str(error) or "length check" in str(error)
                losses.append(
                    f"the compressed file {'has a wrong checksum' if wrong_sum else 'is damaged: the rest is lost'}"
                )
                return
            yield inflated
            compressed = inflater.unconsumed_tail or inflater.unused_data
    if not inflater.eof:
        yield inflater.flush()
        losses.append("the compressed file breaks off: the rest is lost")


def _inflate_to_error(inflater: "zlib._Decompress", compressed: bytes) -> Iterator[bytes]:
    """What comes out before an error: zlib keeps that to itself, so the chunk is gone through byte by byte."""
    with suppress(zlib.error):
        for at in range(len(compressed)):
            yield inflater.decompress(compressed[at : at + 1])
