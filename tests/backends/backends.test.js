// Back ends that we did not write take our tokens, of each algorithm, and nothing that was changed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { install, post } from "./doorward.js";
import { publicKeyPem, signedWithHs256, withEachByteChanged } from "./forgery.js";
import * as jose from "./jose.js";
import * as nest from "./nest.js";
import * as pyjwt from "./pyjwt.js";

const person = { email: "ada@example.com", password: "Tide-lantern-47-orchard" };
const secret = randomBytes(32).toString("hex");

const joseAndPyJwt = {
  "jose": jose.start,
  "PyJWT": pyjwt.start,
};
const passport = {
  "Nest with passport-jwt": (settings) => nest.start({ ...settings, folder: nestFolder }),
};
// jsonwebtoken, and with it passport-jwt and @nestjs/jwt, knows no EdDSA; @nestjs/jwt asks no JWKS.
const backends = {
  HS256: {
    ...passport,
    "Nest with @nestjs/jwt": (settings) => nest.start({ ...settings, folder: nestFolder, route: "service" }),
    ...joseAndPyJwt,
  },
  ES256: { ...passport, ...joseAndPyJwt },
  RS256: { ...passport, ...joseAndPyJwt },
  EdDSA: joseAndPyJwt,
};

let nestFolder;
before(async () => (nestFolder = await nest.build()));
after(() => nest.remove(nestFolder));

for (const [algorithm, starts] of Object.entries(backends)) {
  describe(algorithm, () => {
    let doorward;
    let token;
    let shared;
    before(async () => {
      shared = algorithm === "HS256" ? secret : undefined;
      doorward = await install({
        DOORWARD_TOKENS__ALGORITHM: algorithm,
        ...(shared && { DOORWARD_TOKENS__HS256_SECRET: shared }),
      });
      await doorward.serve("--dev");
      const signup = await post(`${doorward.url}/auth/signup`, person);
      assert.equal(signup.status, 201, JSON.stringify(signup.body));
      const signin = await post(`${doorward.url}/auth/signin`, person);
      assert.equal(signin.status, 200, JSON.stringify(signin.body));
      token = signin.body.token;
    });
    after(() => doorward?.remove());

    for (const [name, start] of Object.entries(starts)) {
      describe(name, () => {
        let backend;
        before(async () => {
          const { url, jwksUrl } = doorward;
          backend = await start({ algorithm, secret: shared, jwksUrl, issuer: url });
        });
        after(() => backend?.stop());

        test("takes the token of a sign-in", async () => {
          const { claims, refused } = await backend.verify(token);
          assert.equal(refused, undefined);
          assert.equal(claims.email, person.email);
          assert.equal(claims.iss, doorward.url);
        });

        for (const [part, what] of ["header", "payload", "signature"].entries()) {
          test(`refuses a changed byte in the ${what}, whichever it is`, async () => {
            for (const forged of withEachByteChanged(token, part)) {
              const { refused } = await backend.verify(forged);
              assert.ok(refused, `took ${forged}`);
            }
          });
        }

        test("refuses the token a month later", async () => {
          const { refused } = await backend.verifyInAMonth(token);
          assert.ok(refused);
        });

        if (algorithm !== "HS256") {
          test("refuses HS256, be it keyed with a shared secret or with our public key", async () => {
            const { keys } = await (await fetch(doorward.jwksUrl)).json();
            const [{ kid }] = keys;
            const pem = publicKeyPem(keys[0]);
            for (const key of [secret, pem, pem.trim(), JSON.stringify(keys[0])]) {
              const { refused } = await backend.verify(await signedWithHs256(token, kid, key));
              assert.ok(refused, `took a token keyed with ${key}`);
            }
          });
        }
      });
    }
  });
}
