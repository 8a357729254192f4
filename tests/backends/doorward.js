// The real server, as a test starts it: in an empty folder of its own, with nothing from this environment's configuration.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as programs from "./child.js";

export const repository = fileURLToPath(new URL("../../", import.meta.url));
const binary =
  process.env.DOORWARD_BIN ??
  path.resolve(repository, process.env.CARGO_TARGET_DIR ?? "target", "debug", "doorward");
const patience = 30_000;

/** A port of 127.0.0.1 that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function ready(url, program) {
  const deadline = Date.now() + patience;
  let ended;
  program.ended.then((how) => (ended = how));
  while (!ended && Date.now() < deadline) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`doorward ${ended ?? "is not ready"}:\n${program.said()}`);
}

/**
 * An installation of Doorward: a folder and an address. `env` is its configuration, `DOORWARD_...`.
 * Nothing runs until `serve()`.
 */
export async function install(env = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "doorward-"));
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    DOORWARD_LISTEN: listen,
    DOORWARD_METRICS_LISTEN: "off",
    DOORWARD_DATA_DIR: path.join(folder, "data"),
    ...env,
  };
  const options = { cwd: folder, env: environment };
  let server;
  const url = `http://localhost:${port}`;
  return {
    url,
    jwksUrl: `${url}/.well-known/jwks.json`,
    /** Adds to the configuration, before `serve()`. */
    configure: (more) => Object.assign(environment, more),
    /** The requests that it answered so far, by its own log: `{ method, route, status, code }`. */
    answered: () =>
      server
        .said()
        .split("\n")
        .filter((line) => line.includes('"doorward::access"'))
        .map((line) => JSON.parse(line)),
    /** Runs a command beside the server, or before it. */
    command: (args, input) => programs.run(binary, args, { ...options, input }),
    async serve(...flags) {
      server = programs.start(binary, ["serve", ...flags], options);
      await ready(url, server);
    },
    async remove() {
      if (server) await programs.stop(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** POSTs JSON to the installation, with more headers if there are any; answers `{ status, body }`. */
export async function post(url, body, headers = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}
