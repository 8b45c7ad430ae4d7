"""The command `taktura`: names the settings, then hands over to the command line."""

import os


def main() -> None:
    """Entry point of the installed command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    from taktura.cli.main import main as run

    run()
