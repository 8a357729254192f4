// The script that solves proofs of work, in a page of another origin and beside the library of the format's makers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import * as altcha from "altcha-lib/v1";
import { install, post } from "../backends/doorward.js";
import { launch, servePage } from "./chromium.js";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

let browser;
let site;
let doorward;
const ada = { email: "ada@example.com", password: "Tide-lantern-47-orchard" };
/** The served script, as a module of this process. */
let script;
before(async () => {
  browser = await launch();
  site = await servePage("<!doctype html><title>A page</title>");
  doorward = await install({
    DOORWARD_CORS__ORIGINS: site.origin,
    DOORWARD_LIMITS__PROOF: "always",
    DOORWARD_LIMITS__PROOF_WORK: "20000",
    DOORWARD_SIGNUP__ENABLED: "true",
  });
  await doorward.serve();
  assert.equal((await post(`${doorward.url}/auth/signup`, ada)).status, 201);
  const text = await (await fetch(`${doorward.url}/auth/proof.js`)).text();
  script = await import(`data:text/javascript,${encodeURIComponent(text)}`);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await doorward?.remove();
});

const challengeOf = async () => (await fetch(`${doorward.url}/auth/challenge`, { method: "POST" })).json();

/** A challenge whose answer is known, by the makers' library. */
const made = (number, maxnumber = number) =>
  altcha.createChallenge({ hmacKey: "a key", number, maxnumber, expires: new Date(Date.now() + 60_000) });

/** Asserts that a proof has the published form and answers a challenge of the service. */
function assertAnswers(text) {
  const { algorithm, challenge, number, salt, signature, ...more } = JSON.parse(atob(text));
  assert.deepEqual(more, {});
  assert.equal(algorithm, "SHA-256");
  assert.equal(challenge, sha256(salt + number));
  assert.match(signature, /^[0-9a-f]{64}$/);
  assert.match(salt, /^[0-9a-f]{24}\?expires=\d+&$/);
}

async function pageWithScript() {
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.evaluate(async (url) => (window.script = await import(url)), `${doorward.url}/auth/proof.js`);
  return page;
}

test("a page of another origin imports it and gets a proof", async () => {
  const page = await pageWithScript();
  assertAnswers(await page.evaluate(() => window.script.proof()));
  assertAnswers(await page.evaluate((url) => window.script.proof(url), doorward.url));
  await page.close();
});

test("a page whose sign-in is asked for a proof signs in with one, once", async () => {
  const page = await pageWithScript();
  const said = await page.evaluate(
    async ([url, ada]) => {
      const signIn = async (proof) => {
        const answer = await fetch(`${url}/auth/signin`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...ada, proof }),
        });
        const { code, token } = await answer.json();
        return [answer.status, code ?? typeof token];
      };
      const first = await signIn();
      const proof = await window.script.proof();
      return [first, await signIn(proof), await signIn(proof)];
    },
    [doorward.url, ada],
  );
  const asked = [429, "proof_required"];
  assert.deepEqual(said, [asked, [200, "string"], asked]);
  await page.close();
});

test("the page goes on living while it computes", async () => {
  const page = await pageWithScript();
  const challenge = await made(200_000);
  const { proof, turns } = await page.evaluate(async (challenge) => {
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    const proof = await window.script.solve(challenge);
    clearInterval(counting);
    return { proof, turns };
  }, challenge);
  assert.equal(await altcha.verifySolution(proof, "a key"), true);
  assert.ok(turns > 1, `${turns} turns`);
  await page.close();
});

test("what it computes is SHA-256, of one block and of several", async () => {
  for (const length of [0, 10, 30, 54, 55, 56, 63, 64, 65, 119, 120, 200]) {
    const salt = "a".repeat(length);
    const challenge = { algorithm: "SHA-256", challenge: sha256(`${salt}3`), maxnumber: 3, salt, signature: "s" };
    assert.equal(JSON.parse(atob(await script.solve(challenge))).number, 3, `${length} characters`);
  }
});

test("the makers' library takes what it solves, from the first number to the last", async () => {
  for (const number of [0, 1, 255, 256, 257, 4_711]) {
    const proof = await script.solve(await made(number));
    assert.equal(await altcha.verifySolution(proof, "a key"), true, `${number}`);
    assert.equal(await altcha.verifySolution(proof, "another key"), false);
  }
});

test("the makers' library solves what the service asks", async () => {
  const { algorithm, challenge, maxnumber, salt, signature } = await challengeOf();
  const { number } = await altcha.solveChallenge(challenge, salt, algorithm, maxnumber).promise;
  const proof = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature, took: 1 }));
  assert.equal((await post(`${doorward.url}/auth/signin`, { ...ada, proof })).status, 200);
});

test("what has no answer, or asks for something else, is an error", async () => {
  await assert.rejects(script.solve({ ...(await made(5)), maxnumber: 4 }), /no answer/);
  await assert.rejects(script.solve({ ...(await made(5)), algorithm: "SHA-512" }), /SHA-512/);
  await assert.rejects(script.proof("http://127.0.0.1:1"));
  await assert.rejects(script.proof(`${site.origin}/`), /JSON/);
});
