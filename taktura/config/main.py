"""The command `taktura`: names the settings, then hands over to the command line."""

import os
import sys


def main() -> None:
    """Entry point of the installed command. Settings that are wrong end it with exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    from taktura.core.errors import Refused

    try:
        import taktura.config.settings  # noqa: F401
    except Refused as refused:
        from taktura.cli.show import terminal_language
        from taktura.kit.language import text_of

        print(text_of(refused, terminal_language()), file=sys.stderr)
        raise SystemExit(2) from None
    from taktura.cli.main import main as run

    run()
