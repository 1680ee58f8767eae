"""Photographs that installed packages carry, with credit, licence and source of each.

Credits are those that the packages themselves state: scikit-image in the docstrings of
`skimage.data`, scikit-learn in `datasets/images/README.txt`. Photographs whose licence they do not
state are left out.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from iqa.errors import UserError
from iqa.images import read_rgb


@dataclass(frozen=True)
class Photograph:
    """A colour photograph inside an installed package.

    Attributes:
        name: short name, also its content group.
        package: package that carries the file.
        file: path inside the package's folder.
        credit: who made it.
        licence: terms of use.
        source: where the package says that it got it.
    """

    name: str
    package: str
    file: str
    credit: str
    licence: str
    source: str

    def path(self) -> Path:
        """Where the file lies; the package is found, not imported.

        Raises:
            UserError: the package or the file is not there.
        """
        spec = find_spec(self.package)
        folders = list(spec.submodule_search_locations or []) if spec else []
        for folder in folders:
            if (Path(folder) / self.file).is_file():
                return Path(folder) / self.file
        raise UserError(
            f"photograph `{self.name}`: {self.file} not found in package {self.package}; "
            f"install the version that requirements.lock names"
        )


_PUBLIC = "public domain"
_CC0 = "CC0 1.0"
_CC_BY = "CC BY 2.0"

PHOTOGRAPHS = {
    photograph.name: photograph
    for photograph in (
        Photograph(
            "astronaut",
            "skimage",
            "data/astronaut.png",
            "NASA (portrait of Eileen Collins)",
            f"{_PUBLIC}, no known copyright restrictions",
            "https://flic.kr/p/r9qvLn",
        ),
        Photograph(
            "chelsea",
            "skimage",
            "data/chelsea.png",
            "Stefan van der Walt",
            _CC0,
            "skimage.data.chelsea",
        ),
        Photograph(
            "coffee",
            "skimage",
            "data/coffee.png",
            "Rachel Michetti, courtesy of Pikolo Espresso Bar",
            _CC0,
            "skimage.data.coffee",
        ),
        Photograph(
            "rocket",
            "skimage",
            "data/rocket.jpg",
            "SpaceX (launch of DSCOVR)",
            _PUBLIC,
            "https://www.flickr.com/photos/spacexphotos/16511594820/",
        ),
        Photograph(
            "china",
            "sklearn",
            "datasets/images/china.jpg",
            "danielbuechele",
            _CC_BY,
            "https://www.flickr.com/photos/danielbuechele/6061409035/",
        ),
        Photograph(
            "flower",
            "sklearn",
            "datasets/images/flower.jpg",
            "vultilion (by the address; the text beside it names danielbuechele)",
            _CC_BY,
            "https://www.flickr.com/photos/vultilion/6056698931/",
        ),
    )
}


def reference(photograph: Photograph, size: tuple[int, int]) -> Image.Image:
    """The largest centred crop of the aspect of `size`, shrunk to it with antialiasing.

    Args:
        photograph: the photograph to read.
        size: (width, height) in pixels.

    Returns:
        An RGB image of `size`.
    """
    image = read_rgb(photograph.path())
    width = min(image.width, image.height * size[0] / size[1])
    height = min(image.height, image.width * size[1] / size[0])
    left, top = (image.width - width) / 2, (image.height - height) / 2
    return image.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))
