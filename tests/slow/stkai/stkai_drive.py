"""Runs in a process of its own: drives StackSpot's wire with STKAI, and prints what came back as one JSON object.

Arguments: the folder that STKAI is installed in, the stand-in's address, an agent's id, a file to upload. STKAI finds
the credential in its own environment variables.
"""

import json
import sys
import typing
from typing import Any


def main(folder: str, url: str, agent_id: str, file: str) -> dict[str, Any]:
    """Token, plain chat, streamed chat with a conversation, upload, quick command, and an agent that is not shared."""
    if not hasattr(typing, "override"):
        # STKAI asks for Python 3.12 for this one name.
        from typing_extensions import override

        typing.override = override  # type: ignore[attr-defined,unused-ignore]
    sys.path.insert(0, folder)
    from stkai import FileUploader, FileUploadRequest, RemoteQuickCommand, RqcRequest
    from stkai.agents import Agent, ChatRequest

    agent = Agent(agent_id, base_url=url)
    plain = agent.chat(ChatRequest(user_prompt="plain question", return_knowledge_sources=True))
    with agent.chat_stream(ChatRequest(user_prompt="streamed question", use_conversation=True)) as stream:
        pieces = list(stream.text_stream)
        streamed = stream.response
    upload = FileUploader(base_url=url).upload(FileUploadRequest(file_path=file))
    with_file = agent.chat(ChatRequest(user_prompt="about the file", upload_ids=[upload.upload_id]))
    command = RemoteQuickCommand("explain", base_url=url).execute(RqcRequest(payload={"code": "x = 1"}))
    stranger = Agent("01J0000000000000000000N0NE", base_url=url).chat(ChatRequest(user_prompt="anyone?"))
    return {
        "plain": plain.result,
        "plain_stop": plain.stop_reason,
        "knowledge": plain.knowledge_sources,
        "pieces": pieces,
        "streamed": streamed.result,
        "streamed_tokens": streamed.raw_response["tokens"],
        "conversation": streamed.conversation_id,
        "upload": upload.upload_id,
        "with_file": with_file.is_success(),
        "command": command.result,
        "stranger": [stranger.is_error(), stranger.error],
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
