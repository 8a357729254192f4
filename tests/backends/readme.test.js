// What the README tells people to type does what it says: each snippet is taken from there and run, with another address.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { access, constants, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as programs from "./child.js";
import { install, post, repository } from "./doorward.js";
import * as nest from "./nest.js";
import { python } from "./pyjwt.js";
import { matches, snippets } from "./readme.js";
import { withEachByteChanged } from "./forgery.js";

const address = "http://localhost:8080";
const secret = randomBytes(32).toString("hex");
const { run, expect } = snippets(await readFile(path.join(repository, "README.md"), "utf8"));

/** The commands of a shell block, without comments and prompts. */
const commands = (text) =>
  text
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line && !line.startsWith("#"));

test("a marker without a block, or twice the same, is an error", () => {
  assert.throws(() => snippets("<!-- run: curl -->\n\n```sh\ntrue\n```"), /no block/);
  assert.throws(() => snippets("<!-- run: curl -->\n```sh\ntrue"), /no block/);
  assert.throws(() => snippets("<!-- run: a -->\n```\n```\n<!-- run: a -->\n```\n```"), /twice/);
});

test("an expectation is the whole text, and its dots stand for something", () => {
  assert.ok(matches('{"token":"ey…"}\n', '{"token":"eyJhb.c.d"}'));
  assert.ok(matches('{"a":1}\n{"token":"ey..."}', '{"a":1}{"token":"eyJ"}\n'));
  for (const other of ['{"token":"ey"}', '{"token":"eyJ","more":1}', 'x{"token":"eyJ"}', '{"token":\n"eyJ"}']) {
    assert.ok(!matches('{"token":"ey…"}', other), other);
  }
});

describe("README", () => {
  let doorward;
  let folder;
  const moved = (text) => text.replaceAll(address, doorward.url);
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "doorward-readme-"));
    doorward = await install({ DOORWARD_TOKENS__HS256_SECRET: secret });
    // The arguments are the README's own.
    const [serve] = commands(run.start);
    const [, flags] = /^cargo run --release -- serve (.*)$/.exec(serve) ?? assert.fail(serve);
    await doorward.serve(...flags.split(" "));
  });
  after(async () => {
    await doorward.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function token(email) {
    const { status, body } = await post(`${doorward.url}/auth/signup`, { email, password: "Tide-lantern-47-orchard" });
    assert.equal(status, 201, JSON.stringify(body));
    return body.token;
  }

  test("start: the second command is the gate", async () => {
    const [, gate, ...others] = commands(run.start);
    assert.deepEqual([gate, others], ["dev/test", []]);
    await access(path.join(repository, gate), constants.X_OK);
  });

  test("curl: signs up and in, and prints what it says", async () => {
    const { stdout } = await programs.run("sh", ["-eu", "-c", moved(run.curl)]);
    assert.ok(matches(expect.curl, stdout), stdout);
  });

  test("fetch: is the document's example", async () => {
    const example = await readFile(path.join(repository, "tests/browser/document-example.js"), "utf8");
    assert.equal(run.fetch.trim().replaceAll(address, "http://your-api-url"), example.trim());
  });

  test("nest: the strategy lets a signed-in person through, and nobody else", async () => {
    const build = await nest.build(moved(run.nest));
    const backend = await nest.start({
      folder: build,
      algorithm: "HS256",
      secret,
      issuer: doorward.url,
      env: { DOORWARD_TOKENS__HS256_SECRET: secret },
    });
    try {
      await guards((token) => backend.verify(token), "nest@example.com");
    } finally {
      await backend.stop();
      await nest.remove(build);
    }
  });

  test("python: the function gives a signed-in person's claims, and nobody else's", async () => {
    const snippet = path.join(folder, "snippet.py");
    await writeFile(snippet, moved(run.python));
    const runner = fileURLToPath(new URL("readme_python.py", import.meta.url));
    const env = { PATH: process.env.PATH, DOORWARD_TOKENS__HS256_SECRET: secret };
    const program = programs.start(python, [runner, snippet], { env });
    const answer = programs.lines(program);
    try {
      await guards(async (token) => {
        program.child.stdin.write(`${token}\n`);
        return JSON.parse(await answer());
      }, "python@example.com");
    } finally {
      await programs.stop(program);
    }
  });

  async function guards(verify, email) {
    const good = await token(email);
    assert.equal((await verify(good)).claims?.email, email);
    for (const part of [0, 1, 2]) {
      for (const forged of withEachByteChanged(good, part)) {
        assert.ok((await verify(forged)).refused, `took ${forged}`);
      }
    }
  }
});
