"""JPEG and PNG files without what surrounds their pixels, so that nothing of it can be an obstacle.

A broken EXIF block, a profile of megabytes or an odd chunk makes Pillow refuse a file whose pixels
are whole. What says how to show them, the orientation, is handed over apart.
"""

import io
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO

Info = dict[str, Any]
"""Entries of Pillow's `Image.info`: "exif", "xmp", "Raw profile type exif"."""

Span = tuple[int, int]
"""Where a part of a file begins and ends."""

# Of markers and chunks: a file of nothing else would keep the loops below busy for an hour.
_MOST = 1_000_000
# Progressive JPEG: each scan takes time for all the pixels; encoders write about ten.
_MOST_SCANS = 100
# Of a chunk that says how to show the pixels, in bytes, also when it is unpacked.
_LONGEST = 1 << 20


def plain_jpeg(file: BinaryIO) -> tuple[BinaryIO, Info]:
    """The JPEG `file` without comments and application segments, and what these say of it.

    JFIF's and Adobe's segments stay where they are whole: they say what the colours are.

    Raises:
        ValueError: it has more than 100 scans, or a million segments.
    """
    info: Info = {}
    kept, end = [(0, 2)], 2
    for number, (marker, start, stop) in enumerate(_segments(file)):
        if number == _MOST:
            raise ValueError("more than a million segments")
        end = stop
        file.seek(start + 4)
        data = file.read(stop - start - 4) if 0xE0 <= marker <= 0xEF else b""
        if marker == 0xE1 and data.startswith(b"Exif\0\0"):
            info.setdefault("exif", data)
        elif marker == 0xE1 and data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            info.setdefault("xmp", data)
        elif (
            not (0xE0 <= marker <= 0xEF or marker == 0xFE)
            or (marker == 0xE0 and data.startswith(b"JFIF\0") and len(data) >= 14)
            or (marker == 0xEE and data.startswith(b"Adobe") and len(data) >= 12)
        ):
            kept.append((start, stop))
    if _scans(file, end) > _MOST_SCANS:
        raise ValueError(f"more than {_MOST_SCANS} scans, made to take long")
    return _Pieces.of(file, [*kept, (end, file.seek(0, io.SEEK_END))]), info


def _segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """The marker, begin and end of each segment before the pixels, as far as they can be told."""
    start = 2
    while True:
        file.seek(start)
        mark = file.read(4)
        if mark[:2] == b"\xff\xff":  # a filling byte
            start += 1
            continue
        length = int.from_bytes(mark[2:])
        if len(mark) < 4 or mark[0] != 0xFF or length < 2:
            return
        if not (0xC0 <= mark[1] <= 0xFE) or 0xD0 <= mark[1] <= 0xDA:  # the scan, or none
            return
        stop = start + 2 + length
        yield mark[1], start, stop
        start = stop


def _scans(file: BinaryIO, start: int) -> int:
    """The number of scans from `start` to the end of the picture, which may not be the file's."""
    file.seek(start)
    count, block = 0, b""
    while more := file.read(1 << 20):
        block = block[-1:] + more
        end = block.find(b"\xff\xd9")
        count += block.count(b"\xff\xda", 0, end if end >= 0 else None)
        if end >= 0:
            break
    return count


def plain_png(file: BinaryIO) -> tuple[BinaryIO, Info]:
    """The PNG `file` without chunks that the pixels can do without, and what these say of it.

    Of an animation the picture for viewers that show only one is left, its first as a rule.

    Raises:
        ValueError: it has more than a million chunks.
    """
    info: Info = {}
    kept, end, kind = [(0, 8)], 8, 0
    for number, (name, start, stop) in enumerate(_chunks(file)):
        if number == _MOST:
            raise ValueError("more than a million chunks")
        end = stop
        if name == b"IHDR":
            file.seek(start + 8)
            kind = file.read(10)[-1]
        if name[:1].isupper():
            kept.append((start, stop))
        elif name == b"tRNS":
            data = _whole(file, start, stop)
            if data and len(data) >= {0: 2, 2: 6, 3: 1}.get(kind, len(data) + 1):
                kept.append((start, stop))
        elif name == b"eXIf":
            info.setdefault("exif", b"Exif\0\0" + _whole(file, start, stop))
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            info |= _text(name, _whole(file, start, stop))
    return _Pieces.of(file, [*kept, (end, file.seek(0, io.SEEK_END))]), info


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The name, begin and end of each chunk but the last, as far as they can be told."""
    start = 8
    while True:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha() or head[4:] == b"IEND":
            return
        stop = start + 12 + int.from_bytes(head[:4])
        yield head[4:], start, stop
        start = stop


def _whole(file: BinaryIO, start: int, stop: int) -> bytes:
    """What a PNG chunk holds; nothing if it is damaged or longer than it can be of use."""
    if stop - start > _LONGEST:
        return b""
    file.seek(start + 4)
    named = file.read(stop - start - 8)
    return named[4:] if file.read(4) == zlib.crc32(named).to_bytes(4) else b""


def _text(name: bytes, data: bytes) -> Info:
    """Of a text chunk: XMP, or EXIF as ImageMagick once wrote it; of any other nothing."""
    key, _, rest = data.partition(b"\0")
    try:
        if key == b"XML:com.adobe.xmp" and name == b"iTXt" and rest[:1] == b"\0":
            return {"xmp": rest[2:].split(b"\0", 2)[2]}
        if key == b"Raw profile type exif":
            text = zlib.decompressobj().decompress(rest[1:], _LONGEST) if name == b"zTXt" else rest
            return {"Raw profile type exif": text.decode("latin-1")}
    except (zlib.error, IndexError):
        pass
    return {}


class _Pieces(io.RawIOBase):
    """Parts of a file as if they were the whole one."""

    def __init__(self, file: BinaryIO, spans: list[Span]) -> None:
        self._file = file
        self._starts = [start for start, _ in spans]
        self._ends = list(accumulate(stop - start for start, stop in spans))
        self._at = 0

    @classmethod
    def of(cls, file: BinaryIO, spans: list[Span]) -> BinaryIO:
        """A file of the `spans`, those that touch joined and those that are empty left out."""
        joined: list[Span] = []
        for start, stop in spans:
            if joined and joined[-1][1] == start:
                joined[-1] = joined[-1][0], stop
            elif stop > start:
                joined.append((start, stop))
        return io.BufferedReader(cls(file, joined))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = (
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        )
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = bisect_right(self._ends, self._at)
        if piece == len(self._ends):
            return 0
        left = self._ends[piece] - self._at
        before = self._ends[piece - 1] if piece else 0
        self._file.seek(self._starts[piece] + self._at - before)
        count = self._file.readinto(memoryview(buffer)[:left])  # type: ignore[attr-defined]
        self._at += count
        return count
