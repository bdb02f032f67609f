"""``python -m tenantry``."""

from tenantry.cli.app import main

main()
