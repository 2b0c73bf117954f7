"""The Model Context Protocol over Streamable HTTP, stateless: one POST is one message, answered with JSON.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports and …/2026-07-28: revisions that
begin with `initialize` say their version in a header afterwards; from 2026-07-28 on each request carries it,
and `server/discover` stands in the place of the handshake. Types, versions and the shapes of each are the
official SDK's (mcp-types); its server is made for sockets and streams, which a function has none of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as mcp
from mcp_types.jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_types.methods import SERVER_RESULTS, parse_client_request, serialize_server_result
from mcp_types.version import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    LATEST_HANDSHAKE_VERSION,
    MODERN_PROTOCOL_VERSIONS,
    SUPPORTED_PROTOCOL_VERSIONS,
)
from pydantic import BaseModel, ValidationError

# What a client without a header speaks, as the specification has it.
_WITHOUT_HEADER = "2025-03-26"
# Tasks belong to this revision alone (2026-07-28 moved them to an extension of its own).
TASKS_SINCE = "2025-11-25"
_STATUS = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_PROTOCOL_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}

type Result = BaseModel
type Method = Callable[[Any, str], Result]
"""Takes the request's params, as the SDK types them, and the version of the protocol."""


class RpcError(Exception):
    """An error of the protocol, not of a tool."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is None for what is only taken note of."""

    status: int
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """`tasks` are the methods of `TASKS_SINCE`, with the SDK's type of their request."""

    name: str
    version: str
    instructions: str
    methods: Mapping[str, Method]
    tasks: Mapping[str, tuple[type[mcp.Request[Any, Any]], Method]]

    def __call__(self, message: object, headers: Mapping[str, str]) -> Answer:
        """`message` is the decoded body, `headers` by their names in lower case."""
        try:
            request = self._request(message)
        except RpcError as error:
            return self._refusal(None, error, 400)
        if request is None:
            return Answer(202)
        try:
            version = _version(request, headers)
        except RpcError as error:
            return self._refusal(request.id, error, 400)
        try:
            result = self._result(request, version)
        except RpcError as error:
            # A client of a handshake takes an HTTP error for the end of its session.
            modern = version in MODERN_PROTOCOL_VERSIONS
            return self._refusal(request.id, error, _STATUS.get(error.code, 200) if modern else 200)
        response = mcp.JSONRPCResponse(jsonrpc="2.0", id=request.id, result=result)
        return Answer(200, response.model_dump(by_alias=True, mode="json"))

    def _request(self, message: object) -> mcp.JSONRPCRequest | None:
        """None for notifications and answers, of which a stateless server needs none."""
        if not isinstance(message, dict):
            raise RpcError(INVALID_REQUEST, "One JSON-RPC message is taken at a time.")
        if not isinstance(message.get("params", {}), dict):
            raise RpcError(INVALID_REQUEST, "The params must be an object.")
        kind = mcp.JSONRPCRequest if "id" in message and "method" in message else None
        try:
            if kind is not None:
                return kind.model_validate(message)
            if "method" in message:
                mcp.JSONRPCNotification.model_validate(message)
            else:
                mcp.jsonrpc_message_adapter.validate_python(message)
        except ValidationError:
            raise RpcError(INVALID_REQUEST, "The body is no JSON-RPC 2.0 message.") from None
        return None

    def _result(self, request: mcp.JSONRPCRequest, version: str) -> dict[str, Any]:
        if version == TASKS_SINCE and request.method in self.tasks:
            kind, answer = self.tasks[request.method]
            given = _parsed(
                lambda: kind.model_validate({"method": request.method, "params": request.params})
            )
            return _with_life(_dumped(answer(given.params, version)))
        try:
            given = _parsed(lambda: parse_client_request(request.method, version, request.params))
        except KeyError:
            raise RpcError(METHOD_NOT_FOUND, "The method is not known.") from None
        if request.method == "initialize":
            result: Result = self._initialize(given.params)
        elif request.method == "server/discover":
            result = self._discover()
        elif request.method == "ping":
            result = mcp.EmptyResult()
        elif request.method in self.methods:
            result = self.methods[request.method](given.params, version)
        else:
            raise RpcError(METHOD_NOT_FOUND, "The method is not offered here.")
        if isinstance(result, mcp.CreateTaskResult):
            return {"task": _with_life(_dumped(result.task))}
        dumped = _dumped(result)
        if version in MODERN_PROTOCOL_VERSIONS:
            info = self._info().model_dump(by_alias=True, mode="json", exclude_none=True)
            dumped["_meta"] = {**dumped.get("_meta", {}), mcp.SERVER_INFO_META_KEY: info}
        if (request.method, version) not in SERVER_RESULTS:
            return dumped
        return serialize_server_result(request.method, version, dumped)

    def _initialize(self, params: mcp.InitializeRequestParams) -> mcp.InitializeResult:
        asked = params.protocol_version
        version = asked if asked in HANDSHAKE_PROTOCOL_VERSIONS else LATEST_HANDSHAKE_VERSION
        capabilities = self._capabilities()
        if version == TASKS_SINCE:
            capabilities.tasks = mcp.ServerTasksCapability(
                cancel=mcp.TasksCancelCapability(),
                requests=mcp.ServerTasksRequestsCapability(
                    tools=mcp.TasksToolsCapability(call=mcp.TasksCallCapability())
                ),
            )
        return mcp.InitializeResult(
            protocol_version=version,
            capabilities=capabilities,
            server_info=self._info(),
            instructions=self.instructions,
        )

    def _discover(self) -> mcp.DiscoverResult:
        return mcp.DiscoverResult(
            supported_versions=list(MODERN_PROTOCOL_VERSIONS),
            capabilities=self._capabilities(),
            instructions=self.instructions,
        )

    def _capabilities(self) -> mcp.ServerCapabilities:
        return mcp.ServerCapabilities(tools=mcp.ToolsCapability(list_changed=False))

    def _info(self) -> mcp.Implementation:
        return mcp.Implementation(name=self.name, version=self.version)

    def _refusal(self, request_id: str | int | None, error: RpcError, status: int) -> Answer:
        data = mcp.ErrorData(code=error.code, message=error.message, data=error.data)
        body = mcp.JSONRPCError(jsonrpc="2.0", id=request_id, error=data)
        return Answer(status, _dumped(body) | {"id": request_id})


def unreadable() -> Answer:
    """For a body that is no JSON."""
    error = {"code": PARSE_ERROR, "message": "The body is not valid JSON."}
    return Answer(400, {"jsonrpc": "2.0", "id": None, "error": error})


def _version(request: mcp.JSONRPCRequest, headers: Mapping[str, str]) -> str:
    """Raises RpcError for a version that is not spoken here, and where header and request differ."""
    if request.method == "initialize":
        return LATEST_HANDSHAKE_VERSION
    meta = (request.params or {}).get("_meta")
    told = meta.get(mcp.PROTOCOL_VERSION_META_KEY) if isinstance(meta, dict) else None
    header = headers.get("mcp-protocol-version", told or _WITHOUT_HEADER)
    if header not in SUPPORTED_PROTOCOL_VERSIONS:
        data = {"supported": list(SUPPORTED_PROTOCOL_VERSIONS), "requested": header}
        raise RpcError(UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version", data)
    if header in MODERN_PROTOCOL_VERSIONS:
        if told != header:
            raise RpcError(HEADER_MISMATCH, "The header MCP-Protocol-Version is not the request's.")
        if headers.get("mcp-method", request.method) != request.method:
            raise RpcError(HEADER_MISMATCH, "The header Mcp-Method is not the request's method.")
    return header


def _parsed[Parsed](parse: Callable[[], Parsed]) -> Parsed:
    """Raises RpcError that repeats nothing of what was sent."""
    try:
        return parse()
    except ValidationError as error:
        places = [".".join(map(str, each["loc"])) for each in error.errors(include_url=False)[:5]]
        raise RpcError(INVALID_PARAMS, "The params are not valid.", {"fields": places}) from None


def _dumped(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def _with_life(document: dict[str, Any]) -> dict[str, Any]:
    """A task says for how long it is kept, and null is for ever: it is no member to leave out."""
    return {**document, "ttl": None} if "taskId" in document else document


def invalid_params(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message)
