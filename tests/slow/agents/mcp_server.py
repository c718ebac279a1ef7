"""An MCP server on standard input and output, with so many tools that clients search them instead of offering them all.

Its results have the forms that the protocol knows beside text: links, resources, structured content, a picture.
"""

import asyncio
import base64
import sys
from typing import Any

from mcp import types
from mcp.server import NotificationOptions, Server, ServerRequestContext
from mcp.server.stdio import stdio_server

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_NUMBER: dict[str, Any] = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
_ORDER: dict[str, Any] = {"type": "object", "properties": {"state": {"type": "string"}}, "required": ["state"]}


def tools(spare_tools: int) -> list[types.Tool]:
    """The three that the tests call, and the others."""
    spare = [
        types.Tool(
            name=f"report_{number}",
            description=f"Writes report {number} about the orders of a month, as a table with one line for each order.",
            input_schema={"type": "object", "properties": {"month": {"type": "string"}}, "required": ["month"]},
        )
        for number in range(spare_tools)
    ]
    return [
        types.Tool(name="order", description="The state of an order.", input_schema=_NUMBER, output_schema=_ORDER),
        types.Tool(name="invoice", description="Links to the invoice of an order.", input_schema=_NUMBER),
        types.Tool(name="letter", description="The letter about an order, with its picture.", input_schema=_NUMBER),
        *spare,
    ]


def result(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    """What a tool says. A client that lost a part of it would not know the word that only this part has."""
    number = arguments.get("number")
    match name:
        case "order":
            order = {"state": f"order {number} is at the harbour"}
            return types.CallToolResult(content=[], structured_content=order)
        case "invoice":
            link = types.ResourceLink(
                type="resource_link",
                uri=f"file:///invoices/harvest-{number}.pdf",
                name=f"invoice-{number}",
                mime_type="application/pdf",
            )
            return types.CallToolResult(content=[link])
        case "letter":
            letter = types.TextResourceContents(
                uri=f"file:///letters/{number}.txt", mime_type="text/plain", text=f"Dear sailor, {number} is yours."
            )
            form = types.BlobResourceContents(
                uri=f"file:///forms/{number}.bin",
                mime_type="application/octet-stream",
                blob=base64.b64encode(b"nothing to read").decode(),
            )
            return types.CallToolResult(
                content=[
                    types.EmbeddedResource(type="resource", resource=letter),
                    types.EmbeddedResource(type="resource", resource=form),
                    types.ImageContent(type="image", data=_PIXEL, mime_type="image/png"),
                ]
            )
        case _:
            return types.CallToolResult(content=[types.TextContent(type="text", text=f"{name} is empty.")])


async def main(spare_tools: int) -> None:
    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools(spare_tools))

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return result(params.name, params.arguments or {})

    server = Server("desk", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options(NotificationOptions()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
