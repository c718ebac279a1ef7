"""What the reference marks with C or G and a report cannot see, each with why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unseen:
    """`row` is in the row or line of the reference's section; `says` is its sentence, where the row is none."""

    section: str
    row: str
    why: str
    says: str = ""


_HOST = "on a host that no setting names; the gateway never asks it"
_FIELD = "doctor sends what the gateway sends, which leaves this field out"
_CLIENT = "what clients do, and nothing of the service's"
_COMMAND = "doctor starts no quick command: it would do an account's real work"
_FILE = "doctor uploads no file"

UNSEEN = (
    Unseen("1", "Agent list", _HOST),
    Unseen("1", "Agent create / delete", "doctor changes nothing in an account"),
    Unseen("1", "Knowledge sources", _HOST),
    Unseen("1", "Staging", "only StackSpot's own people reach it"),
    Unseen("2.1", "Renewal margin", _CLIENT),
    Unseen("2.1", "Client time-out", _CLIENT),
    Unseen("3", "`knowledge_sources`", _FIELD),
    Unseen("3", "`selected_model`", _FIELD),
    Unseen("3", "`show_chat_processing_state`", _FIELD),
    Unseen(
        "3",
        "x-request-origin",
        "an answer does not show whether it counts",
        "the portal sends `x-request-origin: chat`",
    ),
    Unseen("3", "which several clients omit", _FILE, "uploads work without `x-account-id`"),
    Unseen(
        "7",
        "may come under the same code",
        "it takes a request that the model's vendor refuses",
        "`INFERENCE_6001` has other causes too",
    ),
    Unseen("8", "Two steps", _FILE, "a file is uploaded in two steps"),
    Unseen("8", "success is 204", _FILE, "storage answers an upload with 204"),
    Unseen("8", "`split_quantity`", "doctor changes no knowledge source", "how files become knowledge"),
    Unseen("9", "Several LLMs per agent", _FIELD),
    Unseen("11", "Whole answer", "a short prompt says nothing of how long answers take"),
    Unseen("11", "Client time-outs in use", _CLIENT),
    Unseen("12", "Start body", _COMMAND),
    Unseen("12", "Conversation", _COMMAND),
    Unseen("12", "`progress`", _COMMAND),
    Unseen("12", "`status`", _COMMAND),
    Unseen("12", "`steps[]`", _COMMAND),
    Unseen("12", "Progressive steps", _COMMAND),
    Unseen("12", "Polling", _COMMAND),
    Unseen("12", "Stuck in CREATED", _COMMAND),
)
