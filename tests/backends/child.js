// Programs that a test starts, and that do not outlive it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts a program; `said()` is everything that it printed so far. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  }
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(`did not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  return { child, ended, said: () => output };
}

/** The lines of the program's standard output, one after another. A program that ends instead is an error. */
export function lines(program) {
  const waiting = [];
  const unread = [];
  createInterface({ input: program.child.stdout }).on("line", (line) => {
    const reader = waiting.shift();
    reader ? reader.resolve(line) : unread.push(line);
  });
  let over;
  program.ended.then((how) => {
    over = new Error(`${program.child.spawnfile} ${how}:\n${program.said()}`);
    for (const reader of waiting) reader.reject(over);
  });
  return () =>
    new Promise((resolve, reject) => {
      if (unread.length > 0) resolve(unread.shift());
      else if (over) reject(over);
      else waiting.push({ resolve, reject });
    });
}

/** Runs a program to its end, with `input` on its standard input; a failure is an error that says what it printed. */
export async function run(command, args, { input = "", ...options } = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  child.stdin.on("error", () => {}); // it may not care for its input; its exit code says whether that was right
  child.stdin.end(input);
  const [code, signal] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${signal ?? code}\n${stdout}${stderr}`);
  }
  return { stdout, stderr };
}

/** Asks the program to end, and waits until it has. */
export async function stop(program) {
  program.child.kill("SIGTERM");
  return program.ended;
}
