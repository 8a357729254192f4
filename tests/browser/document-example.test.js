// The document's JavaScript example, as it stands there, on a page of another origin.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { install, post } from "../backends/doorward.js";
import { launch, servePage } from "./chromium.js";

const example = await readFile(new URL("document-example.js", import.meta.url), "utf8");
// Whom the example signs in.
const person = { email: "user@example.com", password: "userpassword" };

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** Opens a page with the example in it; answers what it said first, once it has said how the sign-in went. */
async function runsExample(page, origin) {
  const said = page.waitForEvent("console", (message) => message.text().startsWith("Authentication "));
  await page.goto(origin);
  const message = await said;
  return { type: message.type(), text: message.text() };
}

async function assertSignedIn(doorward, { type, text }) {
  assert.equal(type, "log", text);
  const [, token] = /^Authentication successful: ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(text) ?? assert.fail(text);
  const me = await fetch(`${doorward.url}/auth/me`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(me.status, 200);
  assert.equal((await me.json()).email, person.email);
}

function assertBlocked({ type, text }) {
  assert.equal(type, "error", text);
  assert.match(text, /^Authentication failed: TypeError: Failed to fetch/);
}

let doorward;
let site;
let page;
beforeEach(async () => (page = await browser.newPage()));
afterEach(async () => {
  await page?.close();
  await site?.close();
  await doorward?.remove();
});

/** A server, not started yet, and a site of another origin whose page calls it. */
async function prepare() {
  doorward = await install();
  site = await servePage(`<!doctype html><title>Another origin</title>
<script>
${example.replace("http://your-api-url", doorward.url)}
</script>`);
}

describe("serve --dev", () => {
  beforeEach(async () => {
    await prepare();
    await doorward.serve("--dev");
  });

  for (const host of ["localhost", "127.0.0.1"]) {
    test(`a page on ${host} prints the token`, async () => {
      const { status, body } = await post(`${doorward.url}/auth/signup`, person);
      assert.equal(status, 201, JSON.stringify(body));
      await assertSignedIn(doorward, await runsExample(page, site.origin.replace("localhost", host)));
    });
  }

  test("a page prints the 401 of a wrong password", async () => {
    const { status, body } = await post(`${doorward.url}/auth/signup`, { ...person, password: "Tide-lantern-47-orchard" });
    assert.equal(status, 201, JSON.stringify(body));
    const { type, text } = await runsExample(page, site.origin);
    assert.equal(type, "error", text);
    assert.match(text, /^Authentication failed: Error: HTTP error! status: 401\n/);
  });
});

describe("serve", () => {
  const createPerson = () =>
    doorward.command(["user", "create", person.email, "--password-stdin"], `${person.password}\n`);

  test("a page of an origin that is not configured is kept out by the browser", async () => {
    await prepare();
    await createPerson();
    await doorward.serve();
    assertBlocked(await runsExample(page, site.origin));
  });

  test("a page of a configured origin prints the token, and one of its neighbour is kept out", async () => {
    await prepare();
    doorward.configure({ DOORWARD_CORS__ORIGINS: site.origin });
    await createPerson();
    await doorward.serve();
    await assertSignedIn(doorward, await runsExample(page, site.origin));
    assertBlocked(await runsExample(page, site.origin.replace("localhost", "127.0.0.1")));
  });
});
