// The script that signs in with a second factor by curl, as a reader would run it.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import * as programs from "./child.js";
import { install, repository } from "./doorward.js";

const script = path.join(repository, "docs/examples/second-factor.sh");
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

test("the script signs in with codes of an app, in two requests and in one", async () => {
  const doorward = await install();
  try {
    await doorward.serve("--dev");
    const { stdout } = await programs.run("sh", [script, doorward.url]);
    const said = Object.fromEntries(stdout.trim().split("\n").map((line) => line.split(": ")));
    assert.equal(JSON.parse(said["Keep these"]).length, 10);
    const [two, one] = [claims(said["In two"]), claims(said["In one"])];
    for (const { amr, email } of [two, one]) {
      assert.deepEqual([amr, email], [["pwd", "otp", "mfa"], "ada@example.com"]);
    }
    assert.notEqual(two.sid, one.sid);
  } finally {
    await doorward.remove();
  }
});
