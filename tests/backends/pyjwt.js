// A back end that guards itself with PyJWT: pyjwt_backend.py, asked line by line.
import { fileURLToPath } from "node:url";
import * as programs from "./child.js";

const script = fileURLToPath(new URL("pyjwt_backend.py", import.meta.url));
export const python = process.env.PYTHON ?? "python3";

export async function start(settings) {
  const program = programs.start(python, [script, JSON.stringify(settings)]);
  const answer = programs.lines(program);
  async function ask(question) {
    program.child.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse(await answer());
  }
  return {
    verify: (token) => ask({ token, later: 0 }),
    verifyInAMonth: (token) => ask({ token, later: 30 * 86_400 }),
    stop: () => programs.stop(program),
  };
}
