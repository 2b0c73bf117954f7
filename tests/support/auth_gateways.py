"""The running stack behind gateways of every kind: one API front a mode of `ApiAuth`.

Machines and stores are the stack's own. Functions that learn the mode from their environment run,
with the environment they are deployed with but for that one variable, in a process beside it.
"""

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn

from devstack.engine import ACCOUNT, REGION
from devstack.gateway.access import Access
from devstack.gateway.app import Gateway, GatewayApp
from devstack.gateway.backend import EngineBackend
from devstack.gateway.document import ApiDocument
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.request import Request
from devstack.gateway.responses import Answer
from devstack.gateway.server import server_config
from devstack.identity import POOL_ARN, Identity, access_document
from devstack.intrinsics import Resolver
from devstack.paths import TEMPLATE
from devstack.template import load_template, without_aliases
from tests.support.conformance import check_answer
from tests.support.function_host import Host
from tests.support.signing import signed
from tests.support.stack import Stack
from tests.support.waiting import until
from vsl.adapters.dynamodb.api_keys import to_item
from vsl.domain.api.api_key import SECRET_BYTES, ApiKey, hash_secret, join_key
from vsl.domain.api.query import KNOWN_PARAMETERS

# What API Gateway answers to a caller without credentials.
AT_THE_GATE = {"API_KEY": 403, "KEYS": 401, "COGNITO": 401, "IAM": 403}
# The id of a job that there is not.
NOBODY = "00000000-0000-7000-8000-000000000000"
MODES = ("NONE", "API_KEY", "KEYS", "COGNITO", "IAM")
# Where a credential is one user's: of a token always, of a key unless it is an operator's.
OF_A_USER = {"COGNITO", "KEYS"}
HOST = "api.test"
_KEY = "the-one-key"


@dataclass(frozen=True)
class Backend:
    """The engine's machines, and the functions of `host`."""

    engine: EngineBackend
    host: Host
    folders: Mapping[str, str]
    """Folder of the code by function ARN."""

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        return self.host.invoke(self.folders[function_arn], event)

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.engine.states(action, arguments)


@dataclass(frozen=True)
class Credentials:
    """Who sends: `user` is named by the token or key in COGNITO and KEYS, elsewhere by `?userId=`."""

    user: str
    identity: Identity
    api_key: str = _KEY
    minted: str = ""
    """A key of VSL."""


def minted_key(
    stack: Stack,
    user: str | None,
    *,
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> str:
    """A key of VSL in the stack's table."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(key_id, hash_secret(secret), datetime.now(UTC), user, None, expires_at, revoked_at)
    table = stack.document["outputs"]["ApiKeysTableName"]
    stack.client("dynamodb").put_item(TableName=table, Item=to_item(key))
    return join_key(key_id, secret)


class AuthGateway:
    """One front."""

    def __init__(
        self, mode: str, api: ApiDocument, backend: Backend, keys: Path, stack: Stack
    ) -> None:
        self.mode = mode
        self._stack = stack
        self._minted: dict[str, str] = {}
        self.operations = api.operations()
        self._api = api
        self._identity = Identity.of(keys)
        self.backend = backend
        self.document = api.document
        self.access = access_document(mode, keys, [_KEY])
        self._gateway = Gateway(api, backend, "local", Access.of(self.access))

    def of(self, user: str) -> Credentials:
        """An empty name is a back end's, which speaks for nobody."""
        if self.mode == "KEYS" and user not in self._minted:
            self._minted[user] = minted_key(self._stack, user or None)
        return Credentials(user, self._identity, minted=self._minted.get(user, ""))

    def ended(self, user: str) -> list[Credentials]:
        """With keys that opened once: one that has expired, and one that was revoked."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        keys = [
            minted_key(self._stack, user, expires_at=past),
            minted_key(self._stack, user, revoked_at=past),
        ]
        return [Credentials(user, self._identity, minted=key) for key in keys]

    def forged(self, user: str) -> Credentials:
        """Well-formed, and of a caller unknown to this gateway."""
        stranger = replace(_another_pool(), access_key_id=self._identity.access_key_id)
        unknown = join_key(secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES))
        return Credentials(user, stranger, "another-key", unknown)

    def handle(self, request: Request) -> Answer:
        """As it is, unchecked."""
        return self._gateway.handle(request)

    def send(
        self,
        method: str,
        path: str,
        who: Credentials | None,
        body: Mapping[str, Any] | None = None,
        user_id: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As `who`, or without credentials; `user_id` is named in the query of a route that takes it,
        whatever the mode.

        Raises AssertionError when the answer is none that the published document describes.
        """
        named = user_id or (who.user if who is not None and self.mode not in OF_A_USER else None)
        match = self._api.match(path, method)
        route = f"{method} {match.operation.resource}" if match else ""
        if "userId" not in KNOWN_PARAMETERS.get(route, ()):
            named = None
        asked = urlencode({**(query or {}), **({"userId": named} if named else {})})
        url = f"https://{HOST}{path}{'?' if asked else ''}{asked}"
        raw = b"" if body is None else json.dumps(body).encode()
        sent = {"Host": HOST, "Content-Type": "application/json", "X-Forwarded-Proto": "https"}
        sent |= headers or {}
        if who is not None:
            sent |= self.credentials(who, method, url, raw)
        request = Request(method, path, asked, tuple(sent.items()), raw, raw_path=path)
        answer = self._gateway.handle(request)
        if match is not None and method != "OPTIONS":
            kind = next((v for n, v in answer.headers if n.lower() == "content-type"), "")
            resource = match.operation.resource
            check_answer(resource, method, answer.status, kind, answer.body)
        return answer

    def credentials(
        self,
        who: Credentials,
        method: str,
        url: str,
        raw: bytes,
        content_type: str = "application/json",
    ) -> dict[str, str]:
        if self.mode == "API_KEY":
            return {"x-api-key": who.api_key}
        if self.mode == "KEYS":
            return {"Authorization": f"Bearer {who.minted}"}
        if self.mode == "COGNITO":
            return {"Authorization": who.identity.token(who.user)}
        if self.mode != "IAM":
            return {}
        return signed(who.identity, method, url, raw, content_type=content_type)


@contextmanager
def served(gateway: AuthGateway, folder: Path) -> Iterator[str]:
    """The gateway on a port of its own, for clients that speak HTTP: its address."""
    deployed = {"document": gateway.document, "stage": "local", "access": gateway.access}
    path = folder / "api.json"
    path.write_text(json.dumps(deployed))
    app = GatewayApp(path, gateway.backend, RequestMetrics(lambda *_: None))
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), bool)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@cache
def _another_pool() -> Identity:
    return Identity.new()


def document(stack: Stack, mode: str) -> ApiDocument:
    """The API document as deploying the stack with `ApiAuth=mode` would give it."""
    template = without_aliases(load_template(TEMPLATE))
    values: dict[str, Any] = {
        name: definition.get("Default", "") for name, definition in template["Parameters"].items()
    }
    values |= {"Stage": "local", "ApiAuth": mode, "CognitoUserPoolArn": POOL_ARN}
    values |= {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    outputs = stack.document["outputs"]
    arns = {name: _arn(name) for name in stack.document["functions"].values()}
    values |= {name: arns[physical] for name, physical in stack.document["functions"].items()}
    values |= {"GenerateMediaStateMachine": outputs["GenerateMediaStateMachineArn"]}
    resolver = Resolver(template, values, lambda name, _: values.get(name, f"arn:{name}"))
    return ApiDocument(
        resolver.resolve(template["Resources"]["Api"]["Properties"]["DefinitionBody"])
    )


def auth_gateway(
    stack: Stack, mode: str, host: Host, folders: Mapping[str, str], keys: Path
) -> AuthGateway:
    backend = Backend(EngineBackend(stack.document["awsEndpointUrl"]), host, folders)
    return AuthGateway(mode, document(stack, mode), backend, keys, stack)


def deployed_environment(stack: Stack) -> tuple[dict[str, str], dict[str, str]]:
    """The functions' environment, all of them together, and the folder of each by ARN."""
    client = stack.client("lambda")
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    folders: dict[str, str] = {}
    for physical in stack.document["functions"].values():
        found = client.get_function_configuration(FunctionName=physical)
        variables = found["Environment"]["Variables"]
        folders[_arn(physical)] = variables["VSL_FUNCTION_FOLDER"]
        environment |= variables
    return environment, folders


def _arn(function: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
