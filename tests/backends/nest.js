// A back end in Nest: nest/, compiled and started.
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as programs from "./child.js";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Compiles the application, with `strategy` in the place of its strategy.ts; answers the folder, which is the caller's. */
export async function build(strategy) {
  await mkdir(path.join(here, "build"), { recursive: true });
  const folder = await mkdtemp(path.join(here, "build", "nest-"));
  await cp(path.join(here, "nest"), folder, { recursive: true });
  if (strategy) await writeFile(path.join(folder, "strategy.ts"), strategy);
  const compiler = path.join(here, "node_modules", "typescript", "bin", "tsc");
  await programs.run(process.execPath, [compiler, "--project", folder]);
  return folder;
}

export const remove = (folder) => rm(folder, { recursive: true, force: true });

/** Starts what `build` made; `route` is the guarded one to ask. */
export async function start({ folder, route = "passport", env = {}, ...settings }) {
  const program = programs.start(process.execPath, [path.join(folder, "main.js")], {
    env: { PATH: process.env.PATH, SETTINGS: JSON.stringify(settings), ...env },
  });
  const url = await programs.lines(program)();
  async function ask(path, token) {
    const answer = await fetch(`${url}/${path}`, { headers: { Authorization: `Bearer ${token}` } });
    if (answer.status === 200) return { claims: await answer.json() };
    if (answer.status === 401) return { refused: "Unauthorized" };
    throw new Error(`${path} answered ${answer.status}\n${program.said()}`);
  }
  return {
    verify: (token) => ask(route, token),
    verifyInAMonth: (token) => ask(`${route}/in-a-month`, token),
    stop: () => programs.stop(program),
  };
}
