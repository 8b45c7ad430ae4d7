"""A passkey made of software: answers a site's questions as an authenticator with a fingerprint reader does."""

import base64
import hashlib
import json
import secrets
import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(value: bytes) -> str:
    """Base64 as WebAuthn writes it."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Passkey:
    """A credential for one site. `verifies`: whether it makes sure who holds it."""

    def __init__(self, site: str = "localhost", verifies: bool = True) -> None:
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(32)
        self.site, self.user, self.uses = site, b"", 0
        self.flags = PRESENT | (VERIFIED if verifies else 0)

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to the question for a new credential."""
        public = options["publicKey"]
        self.user = base64.urlsafe_b64decode(public["user"]["id"] + "==")
        cose = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        held = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + held})
        answer = self._answer(
            "webauthn.create", public["challenge"], lambda client: {"attestationObject": encoded(attested)}
        )
        return answer | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to the question who one is."""
        self.uses += 1
        data = self._data()

        def signed(client: bytes) -> dict[str, str]:
            signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
            return {
                "authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": encoded(self.user)
            }  # fmt: skip

        return self._answer("webauthn.get", options["publicKey"]["challenge"], signed)

    def _data(self, flags: int = 0) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + struct.pack(">BI", self.flags | flags, self.uses)

    def _answer(self, kind: str, challenge: str, rest: Any) -> dict[str, Any]:
        client = json.dumps({"type": kind, "challenge": challenge, "origin": f"http://{self.site}"}).encode()
        response = {"clientDataJSON": encoded(client)} | rest(client)
        return {"id": encoded(self.id), "rawId": encoded(self.id), "type": "public-key", "response": response,
                "clientExtensionResults": {}}  # fmt: skip
