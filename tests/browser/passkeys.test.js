// Passkeys in a browser, with an authenticator that Chromium plays itself: what `passkeys.html` does with them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { install, post } from "../backends/doorward.js";
import { launch, servePage } from "./chromium.js";

const html = await readFile(new URL("passkeys.html", import.meta.url), "utf8");
const password = "Tide-lantern-47-orchard";

let browser;
let doorward;
/** Where passkeys are made, and a page on another port, which to the browser has the same passkeys. */
let site;
let neighbour;
before(async () => {
  browser = await launch();
  doorward = await install({ DOORWARD_SIGNUP__ENABLED: "true", DOORWARD_LIMITS__BURST: "10000" });
  site = await servePage(html.replace("http://your-api-url", doorward.url));
  neighbour = await servePage(html);
  doorward.configure({ DOORWARD_CORS__ORIGINS: site.origin, DOORWARD_PASSKEYS__ORIGINS: site.origin });
  await doorward.serve();
});
after(async () => {
  await browser?.close();
  await site?.close();
  await neighbour?.close();
  await doorward?.remove();
});

let context;
let page;
let authenticator;
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  authenticator = await attach(page);
  await page.goto(site.origin);
});
afterEach(() => context?.close());

/** An authenticator of the page's own, whose owner is at hand and says yes. */
async function attach(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const kind = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true };
  const owner = { isUserVerified: true, automaticPresenceSimulation: true };
  const made = await devtools.send("WebAuthn.addVirtualAuthenticator", { options: { ...kind, ...owner } });
  const send = (command, more) => devtools.send(`WebAuthn.${command}`, { ...made, ...more });
  return {
    credentials: async () => (await send("getCredentials")).credentials,
    drop: (credentialId) => send("removeCredential", { credentialId }),
    /** Whether its owner is at hand, and whether they can show who they are. */
    isTouched: (enabled) => send("setAutomaticPresenceSimulation", { enabled }),
    isOwner: (isUserVerified) => send("setUserVerified", { isUserVerified }),
    /** Settles when it has thrown a credential away. */
    forgets: () => once(devtools, "WebAuthn.credentialDeleted", { signal: AbortSignal.timeout(20_000) }),
  };
}

/** What the page says once it is through with what it does. */
async function says() {
  await page.waitForFunction(() => document.querySelector("output").value);
  return page.textContent("output");
}

async function press(button) {
  await page.click(`text="${button}"`);
  return says();
}

let people = 0;

/** Somebody new signs up and adds a passkey; answers their address. */
async function joins() {
  people += 1;
  const email = `person${people}@example.com`;
  await page.fill("[name=email]", email);
  await page.fill("[name=password]", password);
  assert.equal(await press("Sign up"), email);
  assert.equal(await press("Add a passkey"), "A key was added");
  return email;
}

const byPasskey = () => press("Sign in with a passkey");
const tokenOfPage = () => page.evaluate("token");
const claims = async () => JSON.parse(Buffer.from((await tokenOfPage()).split(".")[1], "base64url"));

/** Makes the page remember how the browser was asked for a passkey. */
const noteAsking = () =>
  page.addInitScript(() => {
    const ask = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      window.asked = options;
      return ask(options);
    };
  });

describe("a passkey", () => {
  test("is made by who signed up, and signs them in by a button", async () => {
    const email = await joins();
    const [{ isResidentCredential, rpId, userName }] = await authenticator.credentials();
    assert.deepEqual([isResidentCredential, rpId, userName], [true, "localhost", email]);

    await page.goto(site.origin);
    assert.equal(await byPasskey(), email);
    const { amr, email: named } = await claims();
    assert.deepEqual([amr, named], [["pop", "user", "mfa"], email]);
  });

  test("is made once on an authenticator", async () => {
    await joins();
    assert.equal(await press("Add a passkey"), "InvalidStateError");
    assert.equal((await authenticator.credentials()).length, 1);
  });

  test("is offered where the form is filled in, and signs in", async () => {
    const email = await joins();
    await noteAsking();
    await page.goto(`${site.origin}/signin`);
    assert.equal(await says(), email);
    assert.equal(await page.evaluate("window.asked.mediation"), "conditional");
  });

  test("signs in by a button though it is offered in the form", async () => {
    const email = await joins();
    await noteAsking();
    await authenticator.isTouched(false);
    await page.goto(`${site.origin}/signin`);
    await page.waitForFunction("window.asked?.mediation === 'conditional'");
    await authenticator.isTouched(true);
    assert.equal(await byPasskey(), email);
    assert.equal(await page.evaluate("window.asked.mediation"), undefined);
  });

  test("is the second factor behind the password", async () => {
    const email = await joins();
    await joins(); // somebody else, whose passkey is no second factor of the first
    await noteAsking();
    await page.goto(site.origin);
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", password);
    assert.equal(await press("Sign in"), email);
    assert.equal(await page.evaluate("window.asked?.publicKey.allowCredentials.length"), 1);
    assert.deepEqual((await claims()).amr, ["pwd", "pop", "user", "mfa"]);
  });

  test("of one of two people on an authenticator signs in that one", async () => {
    const two = [await joins(), await joins()];
    assert.equal((await authenticator.credentials()).length, 2);
    const one = await byPasskey();
    const used = (await authenticator.credentials()).find(({ userName }) => userName === one);
    await authenticator.drop(used.credentialId);
    const other = await byPasskey();
    assert.deepEqual([one, other].sort(), two.sort());
  });
});

describe("a passkey that was removed", () => {
  test("on the page is gone from the authenticator, where those of others stay", async () => {
    const kept = await joins();
    await joins();
    const [said] = await Promise.all([press("Remove the passkey"), authenticator.forgets()]);
    assert.equal(said, "0 left");
    assert.deepEqual((await authenticator.credentials()).map(({ userName }) => userName), [kept]);
    assert.equal(await byPasskey(), kept);
  });

  test("elsewhere is unknown, and gone from the authenticator once it was tried", async () => {
    await joins();
    const headers = { Authorization: `Bearer ${await tokenOfPage()}` };
    const { data } = await (await fetch(`${doorward.url}/auth/passkeys`, { headers })).json();
    const removed = await fetch(`${doorward.url}/auth/passkeys/${data[0].id}`, { method: "DELETE", headers });
    assert.equal(removed.status, 200);
    assert.equal((await authenticator.credentials()).length, 1);

    const [said] = await Promise.all([byPasskey(), authenticator.forgets()]);
    assert.equal(said, "passkey_unknown");
    assert.deepEqual(await authenticator.credentials(), []);
    assert.equal(await byPasskey(), "NotAllowedError");
  });
});

test("a shut account's passkey is refused and kept, and signs in when the account is open again", async () => {
  const email = await joins();
  await doorward.command(["user", "disable", email]);
  assert.equal(await byPasskey(), "passkey_invalid");
  assert.equal((await authenticator.credentials()).length, 1);
  await doorward.command(["user", "enable", email]);
  assert.equal(await byPasskey(), email);
});

/** Options from the service, changed, and what the open page makes of them or its browser's reason not to. */
async function proof(change = {}) {
  const { body } = await post(`${doorward.url}/auth/passkeys/signin/options`, {});
  const options = { ...body, publicKey: { ...body.publicKey, ...change } };
  return page.evaluate((options) => ask("get", options).catch((error) => error.name), options);
}

/** What the service says of it. */
async function answer(proof) {
  const { status, body } = await post(`${doorward.url}/auth/passkeys/signin`, proof);
  return status === 200 ? "signed in" : `${status} ${body.code}`;
}

test("whoever cannot show that they are its owner is not signed in, whatever the page asks for", async () => {
  const email = await joins();
  await authenticator.isOwner(false);
  assert.equal(await byPasskey(), "NotAllowedError");
  assert.equal(await answer(await proof({ userVerification: "discouraged" })), "401 passkey_invalid");
  await authenticator.isOwner(true);
  assert.equal(await byPasskey(), email);
});

test("a page of another origin gets no proof, or none that counts", async () => {
  await joins();
  assert.equal(await answer(await proof()), "signed in");
  await page.goto(neighbour.origin);
  assert.equal(await answer(await proof()), "401 passkey_invalid");
  for (const host of ["127.0.0.1", "evil.localhost"]) {
    await page.goto(neighbour.origin.replace("localhost", host));
    assert.equal(await proof(), "SecurityError", host);
  }
  assert.equal(await proof({ rpId: undefined }), "NotAllowedError");
});
