"""Checks and tasks of the repository; nothing here is part of the product."""
