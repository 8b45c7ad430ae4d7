"""Pages of worked time."""
