"""Examples of the documentation run on a real PostgreSQL, each in a migrated database of its own."""

from taktura.kit.database import setup

setup(throw_away=True)
