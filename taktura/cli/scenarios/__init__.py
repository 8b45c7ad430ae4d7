"""Scenarios: stories in YAML that run against the real services (docs/scenarios.md)."""
