// What a back end must refuse, made from a token that it accepts.
import { createPublicKey } from "node:crypto";
import { decodeJwt, SignJWT } from "jose";

/** The token, once for each byte of its header, payload or signature, with the lowest bit of that byte changed. */
export function* withEachByteChanged(token, part) {
  const parts = token.split(".");
  const bytes = Buffer.from(parts[part], "base64url");
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    yield parts.with(part, changed.toString("base64url")).join(".");
  }
}

/** The claims of the token under HS256, keyed with something that is no secret; `kid` as the true token has it. */
export async function signedWithHs256(token, kid, secret) {
  return new SignJWT(decodeJwt(token))
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid })
    .sign(Buffer.from(secret));
}

/** The public key as text, as a back end that mixes up its algorithms would use it for a secret (RFC 8725 section 2.1). */
export function publicKeyPem(jwk) {
  return createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
}
