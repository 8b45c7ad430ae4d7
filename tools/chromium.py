"""The browser for the tests: `python -m tools.chromium` finds Chromium, or installs Debian's where it may.

Exit code 1: there is none; what to type is printed.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core")


def find() -> str | None:
    """Where Chromium is; `CHROMIUM` names another one."""
    named = os.environ.get("CHROMIUM", "")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """Find or install."""
    if find():
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the tests in the browser …", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        for command in (("apt-get", "update"), INSTALL):
            subprocess.run(command, check=False, **quiet)  # type: ignore[call-overload]
        if find():
            return 0
    print(f"The tests need Chromium. On Debian type: sudo {' '.join(INSTALL)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
