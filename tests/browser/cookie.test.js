// The session cookie in a browser: what honest pages do with it, and what other sites' pages try.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { install, post } from "../backends/doorward.js";
import { launch, servePage } from "./chromium.js";

const password = "Tide-lantern-47-orchard";
const mallory = { email: "mallory@example.com", password: "Another-lantern-48-orchard" };
const COOKIE = "__Host-doorward";

let browser;
let site;
let doorward;
/** Our own origin, and those of pages that the test serves. Browsers take every name below localhost for this machine. */
let own;
let app;
let sibling;
let stranger;
before(async () => {
  browser = await launch();
  site = await servePage("<!doctype html><title>A page</title>");
  const called = (host) => site.origin.replace("localhost", host);
  app = called("app.doorward.localhost");
  sibling = called("blog.doorward.localhost");
  stranger = called("evil.localhost");
  doorward = await install({ DOORWARD_SIGNUP__ENABLED: "true", DOORWARD_LIMITS__BURST: "10000" });
  own = doorward.url.replace("localhost", "auth.doorward.localhost");
  doorward.configure({ DOORWARD_PUBLIC_URL: own, DOORWARD_CORS__ORIGINS: app });
  await doorward.serve();
  assert.equal((await post(`${doorward.url}/auth/signup`, mallory)).status, 201);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await doorward?.remove();
});

let people = 0;
let context;
beforeEach(async () => (context = await browser.newContext()));
afterEach(() => context?.close());

/** A blank page of an origin. Ours has none: its own pages have a policy that lets no script of a test run. */
async function pageOf(origin) {
  const page = await context.newPage();
  const blank = (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
  if (!origin.endsWith(new URL(site.origin).port)) await page.route(`${origin}/blank`, blank);
  await page.goto(`${origin}/blank`);
  return page;
}

/** What a page's script gets to see of an answer, or of there being none. */
function call(page, url, options = {}) {
  const { body, ...rest } = { credentials: "include", ...options };
  const json = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return page.evaluate(
    async ([url, init]) => {
      try {
        const answer = await fetch(url, init);
        const { status, headers } = answer;
        return { status, headers: JSON.stringify([...headers]), text: await answer.text() };
      } catch (error) {
        return { error: String(error) };
      }
    },
    [url, { ...json, ...rest }],
  );
}

const sessionCookie = async (base) => (await context.cookies(base)).find(({ name }) => name === COOKIE);

/** Somebody new signs up and in on `page`, by cookie. */
async function signsIn(page, base = own) {
  people += 1;
  const person = { email: `person${people}@example.com`, password };
  const signedUp = await post(`${base.replace(/[^/]*localhost/, "localhost")}/auth/signup`, person);
  assert.equal(signedUp.status, 201, JSON.stringify(signedUp.body));
  const answer = await call(page, `${base}/auth/signin`, { body: { ...person, session: "cookie" } });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  assert.deepEqual(Object.keys(JSON.parse(answer.text)), ["user"]);
  await hidesIt(page, base, answer);
  return person;
}

/** Neither the answer nor the page holds what the browser carries. */
async function hidesIt(page, base, answer) {
  const cookie = await sessionCookie(base);
  const { domain, path, httpOnly, secure, sameSite } = cookie;
  assert.deepEqual(
    { domain, path, httpOnly, secure, sameSite },
    { domain: new URL(base).hostname, path: "/", httpOnly: true, secure: true, sameSite: "Lax" },
  );
  const seen = await page.evaluate(async () =>
    JSON.stringify([document.cookie, await cookieStore.getAll(), { ...localStorage }, { ...sessionStorage }]),
  );
  assert.equal(seen, JSON.stringify(["", [], {}, {}]));
  assert.ok(!(answer.text + answer.headers).includes(cookie.value), answer.text);
  assert.doesNotMatch(answer.text, /token/i);
  return cookie.value;
}

/** All that a signed-in person does, from a page that may. */
async function usesItAll(page, base = own) {
  const { email } = await signsIn(page, base);
  const me = await call(page, `${base}/auth/me`);
  assert.equal(JSON.parse(me.text).email, email);
  const json = { "Content-Type": "application/json" };
  const change = { method: "PATCH", headers: json, body: { name: "Ada" } };
  assert.equal((await call(page, `${base}/auth/me`, change)).status, 200);

  const first = (await sessionCookie(base)).value;
  const renewed = await call(page, `${base}/auth/refresh`, { body: {} });
  assert.equal(renewed.status, 200, JSON.stringify(renewed));
  assert.notEqual(await hidesIt(page, base, renewed), first);
  assert.equal(JSON.parse((await call(page, `${base}/auth/me`)).text).name, "Ada");

  assert.equal((await call(page, `${base}/auth/signout`, { body: {} })).status, 204);
  assert.equal(await sessionCookie(base), undefined);
  assert.equal((await call(page, `${base}/auth/me`)).status, 401);
}

describe("honest pages", () => {
  test("a page of our own signs in, renews, and signs out, and sees nothing of the cookie", async () => {
    await usesItAll(await pageOf(own));
  });

  test("so does a page of a listed origin of the same site", async () => {
    await usesItAll(await pageOf(app));
  });

  test("without credentials asked for, a listed origin signs nobody in", async () => {
    const page = await pageOf(app);
    await signsIn(page);
    await call(page, `${own}/auth/signout`, { body: {} });
    const answer = await call(page, `${own}/auth/signin`, {
      body: { ...mallory, session: "cookie" },
      credentials: "omit",
    });
    assert.equal(answer.status, 200);
    assert.equal(await sessionCookie(own), undefined);
  });

  test("in development pages on localhost do, over plain HTTP", async () => {
    const dev = await install();
    try {
      await dev.serve("--dev");
      for (const origin of [dev.url, site.origin]) await usesItAll(await pageOf(origin), dev.url);
    } finally {
      await dev.remove();
    }
  });

  test("C1 a cookie from before the sign-in is replaced, and C17 the way back after signing out leads nowhere", async () => {
    const planted = { name: COOKIE, value: "planted", url: own.replace("http:", "https:"), secure: true, httpOnly: true };
    await context.addCookies([planted]);
    const page = await pageOf(own);
    const { email } = await signsIn(page);
    const cookies = (await context.cookies(own)).filter(({ name }) => name === COOKIE);
    assert.equal(cookies.length, 1);
    assert.notEqual(cookies[0].value, "planted");

    await page.goto(`${own}/auth/me`);
    assert.ok((await page.content()).includes(email));
    await page.goto(`${own}/blank`);
    assert.equal((await call(page, `${own}/auth/signout`, { body: {} })).status, 204);
    await page.goBack();
    assert.ok(!(await page.content()).includes(email), await page.content());
    assert.ok((await page.content()).includes("token_missing"));
  });
});

/** What the owner's page sees of the account and its sessions, and what the browser carries. */
async function state(page) {
  const me = await call(page, `${own}/auth/me`);
  const sessions = await call(page, `${own}/auth/sessions`);
  assert.deepEqual([me.status, sessions.status], [200, 200], me.text);
  const ids = JSON.parse(sessions.text).data.map(({ id, current }) => ({ id, current }));
  return { me: me.text, ids, carried: (await sessionCookie(own)).value };
}

/** What becomes of the requests that `act` makes a browser send, by path, once they are as many as `wanted`. */
async function answers(wanted, act) {
  const before = doorward.answered().length;
  await act();
  const deadline = Date.now() + 20_000;
  let after = [];
  while (after.length < wanted && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    after = doorward.answered().slice(before);
  }
  return Object.fromEntries(after.map(({ route, status, code }) => [route, `${status} ${code}`]));
}

// What would change something, or sign the browser in as somebody else.
const targets = [
  ["/auth/signout", { scope: "all" }],
  ["/auth/refresh", {}],
  ["/auth/signin", { ...mallory, session: "cookie" }],
  ["/auth/signup", { email: "eve@example.com", password, session: "cookie" }],
];

/** Sends every target by a fetch that asks nobody first; without a `type` it has no Content-Type, without `isTold` no body. */
async function simpleFetches(frame, { type, isTold = true }) {
  for (const [path, body] of targets) {
    const sent = { url: own + path, text: isTold ? JSON.stringify(body) : undefined, type };
    await frame.evaluate(async ({ url, text, type }) => {
      const body = type ? new Blob([text], { type }) : text && new TextEncoder().encode(text);
      // Whether it was served is for the one who counts: the page never sees an answer.
      await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
    }, sent);
  }
}

/** Submits a form of this encoding to every target, in a frame; as text it is the JSON of the target. */
async function forms(frame, enctype) {
  for (const [path, body] of targets) {
    const sent = { action: own + path, text: JSON.stringify({ ...body, x: "" }).slice(0, -2), enctype, body };
    await frame.evaluate(
      ({ action, text, enctype, body }) =>
        new Promise((resolve) => {
          const form = document.createElement("form");
          const frame = document.createElement("iframe");
          frame.name = `f${Math.random()}`;
          Object.assign(form, { action, enctype, method: "POST", target: frame.name });
          const pairs = enctype === "text/plain" ? [[text, '"}']] : Object.entries(body);
          for (const [name, value] of pairs) {
            const input = document.createElement("input");
            Object.assign(input, { name, value });
            form.append(input);
          }
          document.body.append(frame, form);
          frame.addEventListener("load", resolve);
          form.submit();
        }),
      sent,
    );
  }
}

/** Tries what a script can ask for openly: the browser asks us first, and goes no further. */
async function openFetches(frame) {
  const json = { "Content-Type": "application/json" };
  const asked = [
    ...targets.map(([path, body]) => ({ path, method: "POST", headers: json, body: JSON.stringify(body) })),
    { path: "/auth/me", method: "PATCH", headers: json, body: '{"name":"Mallory"}' },
    { path: "/auth/me", method: "GET" },
    { path: "/auth/sessions", method: "GET" },
    { path: "/auth/sessions/x", method: "DELETE" },
  ];
  for (const { path, ...init } of asked) {
    const seen = await frame.evaluate(
      ([url, init]) => fetch(url, { credentials: "include", ...init }).then((it) => it.text(), String),
      [own + path, init],
    );
    assert.match(seen, /^TypeError: Failed to fetch/, path);
  }
}

describe("pages that may not", () => {
  let owner;
  let before;
  beforeEach(async () => {
    owner = await pageOf(own);
    await signsIn(owner);
    before = await state(owner);
  });
  afterEach(async () => assert.deepEqual(await state(owner), before));

  /** A page of `origin`, or a frame in it that has no origin at all. */
  async function attacker(origin, { isSandboxed } = {}) {
    const page = await pageOf(origin);
    if (!isSandboxed) return page;
    await page.setContent('<iframe sandbox="allow-scripts allow-forms" srcdoc="<!doctype html><body>"></iframe>');
    const frame = await (await page.waitForSelector("iframe")).contentFrame();
    assert.equal(await frame.evaluate(() => origin), "null");
    return frame;
  }

  const unread = "415 unsupported_media_type";
  const foreign = "403 origin_not_allowed";
  /** Where a session begins nothing but JSON is read; the others as given. */
  const become = (signout, refresh) => ({
    "/auth/signin": unread,
    "/auth/signup": unread,
    "/auth/signout": signout,
    "/auth/refresh": refresh,
  });
  // The cookie comes along with what a sibling sends, and not with what other sites do.
  const withCookie = { told: become(foreign, unread), untold: become(foreign, foreign) };
  const without = { told: become("401 token_missing", unread), untold: become("401 token_missing", "400 validation_failed") };
  const kinds = [
    ["C13 a sibling subdomain", () => attacker(sibling), withCookie],
    ["C13 another site", () => attacker(stranger), without],
    ["C13 a sandboxed frame, whose origin is null", () => attacker(sibling, { isSandboxed: true }), without],
  ];
  for (const [name, open, refused] of kinds) {
    test(`C12 C14 ${name} cannot post what a form can`, async () => {
      const frame = await open();
      for (const type of ["text/plain", "application/x-www-form-urlencoded", undefined]) {
        const seen = await answers(targets.length, () => simpleFetches(frame, { type }));
        assert.deepEqual(seen, refused.told, type);
      }
      const seen = await answers(targets.length, () => simpleFetches(frame, { isTold: false }));
      assert.deepEqual(seen, refused.untold);
      for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        const seen = await answers(targets.length, () => forms(frame, enctype));
        assert.deepEqual(seen, refused.told, enctype);
      }
    });

    test(`${name} cannot send JSON, nor read an answer`, async () => {
      await openFetches(await open());
    });
  }

  test("C15 a link, an image and a form by GET change nothing", async () => {
    for (const origin of [sibling, stranger]) {
      const page = await pageOf(origin);
      for (const path of ["/auth/signout", "/auth/signout?scope=all", "/auth/refresh", "/auth/me?_method=DELETE"]) {
        await page.goto(`${origin}/blank`);
        await page.setContent(`<a href="${own}${path}">A prize</a><img src="${own}${path}">`);
        const [answer] = await Promise.all([page.waitForNavigation(), page.click("a")]);
        assert.equal(answer.status(), path.startsWith("/auth/me") ? 200 : 405, path);
      }
    }
  });

  test("C3 a sibling plants no session cookie, and what it plants is no session", async () => {
    const page = await pageOf(sibling);
    const planted = ["__Host-doorward", "__host-doorward", "__HOST-DOORWARD", "doorward", "__Secure-doorward"];
    await page.evaluate((names) => {
      for (const name of names) {
        for (const more of ["", "; path=/", "; path=/auth"]) {
          document.cookie = `${name}=planted; domain=doorward.localhost; secure${more}`;
        }
      }
      document.cookie = "=__Host-doorward=planted; domain=doorward.localhost; secure; path=/";
    }, planted);
    const carried = (await context.cookies(`${own}/auth/me`)).filter(({ value }) => value === "planted");
    assert.ok(carried.length > 0, "a sibling plants other cookies");
    assert.deepEqual(carried.filter(({ name }) => name === COOKIE), []);
  });
});
