// A back end that guards itself with jose.
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** `secret` for HS256; without it the keys come from `jwksUrl`. */
export async function start({ algorithm, secret, jwksUrl, issuer }) {
  const key = secret ? Buffer.from(secret) : createRemoteJWKSet(new URL(jwksUrl));
  async function verify(token, options) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        issuer,
        audience: issuer,
        ...options,
      });
      return { claims: payload };
    } catch (error) {
      if (error instanceof errors.JOSEError) return { refused: error.code };
      throw error;
    }
  }
  return {
    verify: (token) => verify(token),
    verifyInAMonth: (token) => verify(token, { currentDate: new Date(Date.now() + 30 * 86_400_000) }),
    stop: async () => {},
  };
}
