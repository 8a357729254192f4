// An authenticator app made by pyotp, which knows nothing of our code but the URL that the service tells an app.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as programs from "./child.js";
import { install, post } from "./doorward.js";
import { python } from "./pyjwt.js";

const app = "import sys, pyotp; print(pyotp.parse_uri(sys.argv[1]).now())";

/** The code that the app of `url` shows now. */
async function shown(url) {
  const { stdout } = await programs.run(python, ["-c", app, url]);
  return stdout.trim();
}

describe("pyotp", () => {
  for (const algorithm of ["SHA1", "SHA256", "SHA512"]) {
    for (const digits of [6, 8]) {
      test(`shows codes of ${algorithm} with ${digits} digits that are taken`, async () => {
        const doorward = await install({
          DOORWARD_SECOND_FACTOR__TOTP_ALGORITHM: algorithm,
          DOORWARD_SECOND_FACTOR__TOTP_DIGITS: String(digits),
        });
        try {
          await doorward.serve("--dev");
          const account = { email: "ada@example.com", password: "Tide-lantern-47-orchard" };
          const { token } = (await post(`${doorward.url}/auth/signup`, account)).body;
          const as = (path, body) =>
            post(`${doorward.url}${path}`, body, { Authorization: `Bearer ${token}` });
          const code = await shown((await as("/auth/totp", {})).body.otpauthUrl);
          assert.equal(code.length, digits);
          const other = `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;
          const refused = await as("/auth/totp/confirm", { code: other });
          assert.deepEqual([refused.status, refused.body.code], [400, "code_invalid"]);
          const confirmed = await as("/auth/totp/confirm", { code });
          assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
          assert.equal(confirmed.body.recoveryCodes.length, 10);
        } finally {
          await doorward.remove();
        }
      });
    }
  }
});
