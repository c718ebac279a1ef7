"""The version of the gateway, as CHANGELOG.md tells it."""

__version__ = "0.2.0"
