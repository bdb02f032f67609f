"""What parts promise is read from what they print."""

from io import StringIO

from rich.console import Console

from benchmarks.__main__ import PARTS, find_promises, machine
from benchmarks.quality.promises import Promise, report


def test_promises_are_found_in_what_is_printed_wrapped_or_not():
    printed = StringIO()
    console = Console(file=printed, width=50, highlight=False)
    console.print("a table: 1\n\nmore")
    long = "the tenants' bills add up to the run within the share that is allowed"
    report([Promise("at most 2 x", "1.20", True), Promise(long, "3 of 4: no", False)], console)
    assert list(find_promises(printed.getvalue())) == [
        ("PASS", "at most 2 x", "1.20"),
        ("FAIL", f"{long}: 3 of 4", "no"),
    ]


def test_the_machine_tells_cores_and_python():
    assert " cores of " in machine()
    assert "Python 3." in machine()


def test_every_part_is_a_module_that_can_be_run():
    for module, *_ in PARTS.values():
        assert module.startswith("benchmarks.")
