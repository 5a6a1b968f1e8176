"""Pure stream operators in data order: decode, deskew, filter, fuse, measure, segment, summarise.

Each is a small class with ``push(block) -> list[block]`` and ``finish() -> list[block]``: push style, synchronous,
causal. How the stream is cut into blocks does not change what comes out, bit for bit.

Beside that row stands presence, which says of deskew's frames that a foot is lost or back. clock, feed and track are
parts of deskew, stretch is one of segment.
"""
