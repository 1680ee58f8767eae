"""One thing that was examined."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        what: the thing.
        found: what there is of it.
        remedy: what to do; "" where nothing is missing.
        needed: whether what was asked about cannot run without it.
    """

    what: str
    found: str
    remedy: str = ""
    needed: bool = True

    @property
    def mark(self) -> str:
        """`ok`, `missing`, or `note` for what is missing and not needed."""
        return ("missing" if self.needed else "note") if self.remedy else "ok"

    def __str__(self) -> str:
        """The finding in one line.

        >>> print(Finding("GPU", "none", "use a machine with one", needed=False))
        note     GPU: none; use a machine with one
        """
        told = f"{self.what}: {self.found}"
        return f"{self.mark:9}{f'{told}; {self.remedy}' if self.remedy else told}"
