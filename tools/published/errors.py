"""What a user is told when a file does not fit: the place first, what was expected and what was found, and one hint."""


class Unfit(Exception):
    """A file that cannot be used. `str()` is one line, and a second one `hint: …` where there is a hint."""

    def __init__(self, place, fault, hint=None):
        super().__init__(f"{place}: {fault}" + (f"\nhint: {hint}" if hint else ""))


AGAIN = "download the file again"


def truncated(place, expected, found):
    """A file that ends too early: `expected` and `found` in bytes."""
    return Unfit(place, f"truncated: expected {expected} bytes, found {found}", AGAIN)
