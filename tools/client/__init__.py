"""Makes the Python client, `clients/python/taktura_client.py`: `core.py` as it stands, the rest from OpenAPI."""
