import gzip
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.sources.inflate import inflate

quick = settings(deadline=None, max_examples=100, derandomize=True)
contents = st.binary(max_size=400) | st.binary(max_size=20).map(lambda part: part * 500)


def inflated(packed: bytes, size: int = 7) -> tuple[bytes, list[str]]:
    losses: list[str] = []
    chunks = (packed[at : at + size] for at in range(0, len(packed), size))
    return b"".join(inflate(chunks, losses)), losses


@quick
@given(parts=st.lists(contents, min_size=1, max_size=3), size=st.integers(1, 500))
def test_streams_one_after_another_are_inflated_whole(parts: list[bytes], size: int) -> None:
    assert inflated(b"".join(map(gzip.compress, parts)), size) == (b"".join(parts), [])


@quick
@given(content=contents, cut=st.floats(0, 1, exclude_max=True), size=st.integers(1, 500))
def test_a_stream_that_breaks_off_gives_all_before(content: bytes, cut: float, size: int) -> None:
    packed = gzip.compress(content)
    packed = packed[: 1 + int(cut * (len(packed) - 1))]
    assert inflated(packed, size) == (
        zlib.decompressobj(31).decompress(packed),
        ["the compressed file breaks off: the rest is lost"],
    )


@quick
@given(content=contents, where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), size=st.integers(1, 500))
def test_a_flipped_bit_costs_nothing_before_it_and_is_told(content: bytes, where: float, bit: int, size: int) -> None:
    packed = bytearray(gzip.compress(content))
    at = 10 + int(where * (len(packed) - 10))
    packed[at] ^= 1 << bit
    out, losses = inflated(bytes(packed), size)
    assert losses or out == content  # some bits of the stream mean nothing
    assert out.startswith(zlib.decompressobj(31).decompress(bytes(packed[:at])))


def test_a_wrong_checksum_is_told_as_such() -> None:
    packed = bytearray(gzip.compress(b"hello"))
    packed[-6] ^= 1
    assert inflated(bytes(packed)) == (b"hello", ["the compressed file has a wrong checksum"])


def test_a_piece_is_bounded_however_well_it_was_packed() -> None:
    packed = gzip.compress(bytes(20_000_000))
    assert max(map(len, inflate(iter([packed]), []))) <= 1 << 17
