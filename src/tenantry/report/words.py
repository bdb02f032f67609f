"""Moments and windows as people read them."""

from datetime import datetime

from tenantry.times import Window


def day(moment: datetime) -> str:
    """Write a moment for people: the day, and the time where it is not midnight."""
    return moment.strftime("%Y-%m-%d" if moment.hour == moment.minute == 0 else "%Y-%m-%d %H:%M")


def span(window: Window) -> str:
    """Write a window for people: first day to day after the last."""
    return f"{day(window.start)} to {day(window.end)}"
