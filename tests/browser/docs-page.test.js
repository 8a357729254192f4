// The page of documentation that the server carries with it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { install } from "../backends/doorward.js";
import { launch } from "./chromium.js";

let browser;
let doorward;
before(async () => {
  browser = await launch();
  doorward = await install();
  await doorward.serve();
});
after(async () => {
  await browser?.close();
  await doorward?.remove();
});

test("/auth/docs loads from its own origin alone, within its own policy, without an error", async () => {
  const page = await browser.newPage();
  const complaints = [];
  const asked = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("request", (request) => asked.push(request.url()));
  await page.exposeFunction("complain", (text) => complaints.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.complain(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });

  const response = await page.goto(`${doorward.url}/auth/docs`, { waitUntil: "networkidle" });
  assert.equal(response.status(), 200);
  assert.match(response.headers()["content-security-policy"] ?? "", /default-src 'none'/);
  await page.getByText("/auth/signin").first().waitFor();

  assert.deepEqual(complaints, []);
  assert.ok(asked.length > 0);
  assert.deepEqual(asked.filter((url) => new URL(url).origin !== doorward.url), []);
});
