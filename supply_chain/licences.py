"""The licence of an installed package, as it says it itself."""

from __future__ import annotations

from importlib import metadata

_CLASSIFIER = "License :: OSI Approved :: "
_LONGEST = 60  # some packages have the whole text in the field that is for the name


def licence_of(name: str) -> str:
    """Empty where the package is not installed or says nothing."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    # The backport importlib_metadata, once imported, takes over, and raises for a field that is not there.
    (told, *_) = about.get_all("License-Expression") or about.get_all("License") or [""]
    if told and len(told) <= _LONGEST and "\n" not in told and told != "UNKNOWN":
        return str(told)
    classified = [text.removeprefix(_CLASSIFIER) for text in about.get_all("Classifier") or () if _CLASSIFIER in text]
    return " or ".join(classified) or str(told.partition("\n")[0].strip()[:_LONGEST])
