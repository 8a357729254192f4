// Serves the application with as many accounts as are wanted, and says what to ask it (bench/src/who/adapter.rs).
import { NestFactory } from "@nestjs/core";
import { AppModule, UsersService } from "./application.js";
import { hashingOf } from "./hashes.js";

const accounts = Math.ceil(Number(process.env.REQUESTS) / 4);
const say = (line: object) => console.log(JSON.stringify(line));

const application = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
await application.listen(0, "127.0.0.1");
const host = new URL(await application.getUrl()).host;

const users = application.get(UsersService);
const password = await hashingOf(process.env.VARIANT).hash("a long walk by the sea");
for (let number = 0; number < accounts; number += 1) {
  users.add({ userId: number, email: `w1${String(number).padStart(6, "0")}@example.com`, password });
}

const attempt = (of: string, name: string) => ({
  of,
  method: "POST",
  path: "/auth/signin",
  headers: ["Content-Type: application/json"],
  body: JSON.stringify({ email: `${name}{account}@example.com`, password: "not this one {request}" }),
});

say({ is: "server", name: "NestJS 12, passport-local, bcrypt 10", aside: ["date"], seconds: [] });
say({
  is: "pair",
  name: "wrong",
  host,
  accounts,
  one: attempt("an unknown address", "w0"),
  other: attempt("a wrong password", "w1"),
});
say({ is: "ready" });

process.stdin.resume().on("end", () => application.close());
