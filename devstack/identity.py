"""Who may call a local stack: a user pool's key pair, an IAM key and keys of VSL, made once for a folder."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devstack.engine import ACCOUNT, REGION
from devstack.kept_file import kept
from devstack.media_key import new_rsa_key

POOL = f"{REGION}_local"
POOL_ARN = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL}"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
CLIENT = "vsllocal"
TOKEN_SECONDS = 3600
# Whose the one user's key is that a stack with ApiAuth KEYS begins with.
KEY_USER = "me"


@dataclass(frozen=True, slots=True)
class Identity:
    """`private_key` is PEM; it stands for the pool, which at AWS keeps its own to itself."""

    private_key: str
    access_key_id: str
    secret_access_key: str

    @classmethod
    def of(cls, file: Path) -> "Identity":
        """What `file` holds; made, for its owner's eyes only, when it is not there."""
        return cls(**json.loads(kept(file, lambda: json.dumps(asdict(cls.new())))))

    @classmethod
    def new(cls) -> "Identity":
        identifier = base64.b32encode(secrets.token_bytes(10)).decode()
        return cls(new_rsa_key(), f"AKIA{identifier}", secrets.token_urlsafe(30))

    def jwks(self) -> dict[str, Any]:
        """The public half, as a pool publishes it (RFC 7517)."""
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )
        from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

        private: Any = load_pem_private_key(self.private_key.encode(), None)
        public: dict[str, Any] = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    def token(self, user: str, seconds: int = TOKEN_SECONDS, **claims: object) -> str:
        """An identity token of the user pool for the subject `user`; `claims` replace ours."""
        import jwt  # noqa: PLC0415

        now = int(time.time())
        ours = {
            "sub": user,
            "cognito:username": user,
            "iss": ISSUER,
            "aud": CLIENT,
            "token_use": "id",
            "auth_time": now,
            "iat": now,
            "exp": now + seconds,
        }
        return jwt.encode(
            {**ours, **claims}, self.private_key, algorithm="RS256", headers={"kid": self._key_id}
        )

    def api_key(self, user: str | None) -> str:
        """The user's key of VSL, or the operator's: the same each time, for it is derived from the secret."""
        whose = f"user {user}" if user else "operator"
        made = hmac.digest(self.secret_access_key.encode(), whose.encode(), "sha512")
        secret = base64.urlsafe_b64encode(made[:32]).decode().rstrip("=")
        return f"vsl_{made[32:40].hex()}_{secret}"

    @property
    def _key_id(self) -> str:
        return f"local-{self.access_key_id[-6:].lower()}"


def access_document(mode: str, file: Path, api_keys: list[str]) -> dict[str, Any]:
    """What the front must know to check callers, and no more (devstack/gateway/access.py)."""
    if mode == "API_KEY":
        return {"apiKeys": api_keys}
    if mode == "COGNITO":
        return {"issuer": ISSUER, "jwks": Identity.of(file).jwks()}
    if mode == "IAM":
        identity = Identity.of(file)
        return {"signingKeys": {identity.access_key_id: identity.secret_access_key}}
    return {}


def caller_document(mode: str, file: Path, api_keys: list[str]) -> Mapping[str, str]:
    """What a caller needs, for `vsl status`."""
    if mode == "API_KEY":
        return {"mode": mode, "apiKey": api_keys[0]}
    if mode == "KEYS":
        identity = Identity.of(file)
        return {
            "mode": mode,
            "apiKey": identity.api_key(None),
            "userId": KEY_USER,
            "userKey": identity.api_key(KEY_USER),
        }
    if mode == "COGNITO":
        return {"mode": mode, "issuer": ISSUER, "userPoolArn": POOL_ARN, "token": "vsl token USER"}
    if mode == "IAM":
        identity = Identity.of(file)
        return {
            "mode": mode,
            "accessKeyId": identity.access_key_id,
            "secretAccessKey": identity.secret_access_key,
            "region": REGION,
            "service": "execute-api",
        }
    return {"mode": mode}
