// Debian's Chromium, and pages for it to open.
import { once } from "node:events";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

/** Starts a browser with an empty profile that asks nobody for anything. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Chromium's sandbox does not run as root.
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
    ],
  });
}

/** Serves one page on every path of an origin of its own. */
export async function servePage(html) {
  const server = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://localhost:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
