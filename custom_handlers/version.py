"""The version of the gateway, as CHANGELOG.md has it."""

__version__ = "0.2.0"
