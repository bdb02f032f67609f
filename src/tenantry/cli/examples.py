"""An example or two of each command, shown at the end of its help."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "validate": ("tenantry validate", "tenantry validate arrival-delay -o json"),
    "schema": ("tenantry schema --write", "tenantry schema --check"),
    "onboard": (
        "tenantry onboard arrival-delay xx --source extract.csv",
        "tenantry onboard orders acme --source orders.csv --label late --label-delay 2d --yes",
    ),
    "offboard": (
        'tenantry offboard arrival-delay f9 --why "contract ended"',
        'tenantry offboard arrival-delay f9 --why "contract ended" --yes',
    ),
    "plan": (
        "tenantry plan arrival-delay --as-of 2013-11-01",
        "tenantry plan arrival-delay --diff origin/main -o markdown",
    ),
    "status": ("tenantry status arrival-delay", "tenantry status arrival-delay -o json"),
    "show": ("tenantry show arrival-delay ua",),
    "card": ("tenantry card arrival-delay ua --out ua.html",),
    "insights": (
        "tenantry insights arrival-delay ua",
        "tenantry insights arrival-delay ua -o html --out ua.html",
    ),
    "monitor": ("tenantry monitor arrival-delay ua --window 2013-10-22 --report",),
    "alert": ("tenantry alert arrival-delay run-1 --dry-run",),
    "history": ("tenantry history arrival-delay ua",),
    "rollback": (
        'tenantry rollback arrival-delay ua --why "late flights missed" --dry-run',
        'tenantry rollback arrival-delay --all --to-time 2013-10-15 --why "a broken feed" --yes',
    ),
    "pin": ('tenantry pin arrival-delay ua --why "audit"',),
    "unpin": ('tenantry unpin arrival-delay ua --why "audit over"',),
    "diff": (
        "tenantry diff arrival-delay ua 20131001T000000Z-5885cbe4388a "
        "20131101T000000Z-0d8d2f5a8d52",
    ),
    "lineage": (
        "tenantry lineage tenants/arrival-delay/ua/champion.json",
        "tenantry lineage flights.csv --forward --product arrival-delay",
    ),
    "erase": (
        'tenantry erase arrival-delay f9 --why "contract ended"',
        'tenantry erase arrival-delay ua --keys-file keys.csv --why "request 4712" --yes',
    ),
    "gc": ("tenantry gc arrival-delay", "tenantry gc arrival-delay --yes"),
    "retry": (
        "tenantry retry arrival-delay",
        'tenantry retry arrival-delay ua --why "feed mended"',
    ),
    "reindex": ("tenantry reindex arrival-delay",),
    "policy": ("tenantry policy", "tenantry policy arrival-delay/ua -o table"),
}


def tell_examples(command: str) -> str | None:
    """Return a command's examples as its help ends with them; None where there are none."""
    lines = EXAMPLES.get(command)
    return "For example:\n\n" + "\n\n".join(lines) if lines else None
