"""Some 300 files that are made to break what opens them, with names of images."""

import io
import os
import random
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

FORMATS = {
    ".jpg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".jp2": "JPEG2000",
    ".avif": "AVIF",
    ".ppm": "PPM",
}


def write_hostile(folder: Path) -> list[str]:
    """Fill the new `folder`; gives the paths of the whole pictures in it."""
    rng = random.Random(8)
    folder.mkdir()
    whole = {f"whole{suffix}": content for suffix, content in pictures().items()}
    parts = [whole, named(), dict(damaged(rng)), dict(bombs()), strangers()]
    for number, part in enumerate(parts):
        place = folder / str(number)
        place.mkdir()
        for name, content in part.items():
            (place / name).write_bytes(content)
    no_files(folder / "none")
    out_of_reach(folder / "deep")
    return [str(folder / "0" / name) for name in whole] + [
        str(folder / "1" / name) for name in named()
    ]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pictures() -> dict[str, bytes]:
    """A picture in each format, by suffix."""
    coarse = np.random.default_rng(8).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
    return {suffix: encoded(image, kind) for suffix, kind in FORMATS.items()}


def named() -> dict[str, bytes]:
    """Whole pictures with names that terminals, shells, tables and file systems stumble over."""
    names = ["line\nend", "cr\rend", "esc\x1b[31m", "quote\"'", "comma,;", "-dash", "=cmd()",
             "\U0001f600", "[brack]*?", "$(touch x)", "back\\slash", " lead", "a" * 251, "nul\x01",
             "rtl\u202egpj", "[red]x", os.fsdecode(b"bad\xff\xfe")]  # fmt: skip
    content = pictures()[".jpg"]
    return {f"{name}.jpg": content for name in names}


def damaged(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Files that were cut, whose header or body was changed, with another's suffix; noise."""
    for suffix, content in pictures().items():
        for number in range(6):
            yield f"cut{number}{suffix}", content[: rng.randrange(len(content))]
        for number in range(12):
            header = bytearray(content)
            for _ in range(rng.choice([1, 2, 4, 16])):
                header[rng.randrange(min(len(header), 200))] = rng.choice([0, 127, 128, 255])
            yield f"header{number}{suffix}", bytes(header)
        for number in range(5):
            body = bytearray(content)
            for _ in range(20):
                body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
            yield f"body{number}{suffix}", bytes(body)
        other = rng.choice([known for known in FORMATS if known != suffix])
        yield f"as{suffix[1:]}{other}", content
        yield f"noise{suffix}", rng.randbytes(rng.choice([0, 1, 8, 4096]))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that unpack to very much, or say so."""
    for mode in ("RGB", "RGBA"):
        yield f"{mode}.png", encoded(Image.new(mode, (9400, 9400)), "PNG", compress_level=1)
    yield "bits.tif", encoded(Image.new("1", (9400, 9400)), "TIFF", compression="group4")
    yield "flat.png", encoded(Image.new("L", (80_000_000, 1)), "PNG")
    small, packed = pictures(), zlib.compress(bytes(80_000_000))
    for name, start in ((b"zTXt", b"k\0\0"), (b"iCCP", b"k\0\0")):
        png = small[".png"]
        yield f"{name.decode()}.png", png[:33] + chunk(name, start + packed) + png[33:]
    for number, (width, height) in enumerate([(65_000, 65_000), (9400, 9400), (1, 65_000), (0, 0)]):
        size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        lines = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(1000)))
        yield f"says{number}.png", b"\x89PNG\r\n\x1a\n" + lines + chunk(b"IEND", b"")
        yield f"says{number}.ppm", b"P6 %d %d 255\n" % (width, height) + bytes(500)
        jpeg, gif, bmp = (bytearray(small[suffix]) for suffix in (".jpg", ".gif", ".bmp"))
        place = jpeg.find(b"\xff\xc0") + 5
        jpeg[place : place + 4] = struct.pack(">HH", height, width)
        gif[6:10] = struct.pack("<HH", width, height)
        bmp[18:26] = struct.pack("<ii", width, -height)
        yield f"says{number}.jpg", bytes(jpeg)
        yield f"says{number}.gif", bytes(gif)
        yield f"says{number}.bmp", bytes(bmp)


def strangers() -> dict[str, bytes]:
    """What is no image of a kind that is read: programs for Ghostscript, pages, other formats."""
    image = Image.new("RGB", (40, 30))
    others = {f"{kind}.jpg": encoded(image, kind) for kind in ("EPS", "PDF", "ICO", "PCX")}
    return others | {
        "program.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"
        b"(written) (w) file closefile\nshowpage\n%%EOF\n",
        "drawing.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "page.jpg": b"<html>404</html>" * 50,
    }


def no_files(folder: Path) -> None:
    """Links, pipes, sockets, folders and devices with names of images; files of 50 GB."""
    folder.mkdir()
    targets = {
        "one.jpg": "two.jpg",
        "two.jpg": "one.jpg",
        "dangling.jpg": "nowhere",
        "zero.jpg": "/dev/zero",
        "null.png": "/dev/null",
        "up": "..",
    }
    for name, target in targets.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    for name, start in (("sparse.jpg", b""), ("sparse.tif", b"II*\0\x08\0\0\0")):
        (folder / name).write_bytes(start)
        os.truncate(folder / name, 50 << 30)
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)  # the address of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind("socket.jpg")
    finally:
        os.fchdir(here)
        os.close(here)


def out_of_reach(folder: Path) -> None:
    """A picture below folders whose path is longer than the system takes."""
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(50):
        os.mkdir("d" * 100, dir_fd=here)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    file = os.open("x.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(file, pictures()[".jpg"])
    os.close(file)
    os.close(here)
