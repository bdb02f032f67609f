"""Moments and windows as people read them."""

from datetime import datetime

from tenantry.times import Window


def day(moment: datetime) -> str:
    """Write a moment for people: the day, and the time where it is not midnight."""
    return moment.strftime("%Y-%m-%d" if moment.hour == moment.minute == 0 else "%Y-%m-%d %H:%M")


def span(window: Window) -> str:
    """Write a window for people: first day to day after the last."""
    return f"{day(window.start)} to {day(window.end)}"


def short(number: int) -> str:
    """Write a count in four characters at most, up to a million: ``141``, ``3.2k``, ``141k``."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}k" if number < 9950 else f"{number / 1000:.0f}k"
