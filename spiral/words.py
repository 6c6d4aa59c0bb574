"""Numbers as people read them."""


def counted(count: int, noun: str) -> str:
    """``1 stroke``, ``2,000 strokes``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """``2:03`` or ``1:02:03``: minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
