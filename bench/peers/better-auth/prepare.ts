// Makes the database with all people in it, all with one hash, and says what to ask (bench/src/peers/peer.rs).
import { readFileSync } from "node:fs";
import { getMigrations } from "better-auth/db/migration";
import { auth, database, hashingOf } from "./auth.js";

const { PASSWORD, PEOPLE, VARIANT } = process.env;
await (await getMigrations(auth.options)).runMigrations();

const hash = await hashingOf(VARIANT).hash(PASSWORD ?? "");
const now = new Date().toISOString();
const user = database.prepare(
  'INSERT INTO "user" (id, name, email, emailVerified, createdAt, updatedAt) VALUES (?, ?, ?, 1, ?, ?)',
);
const account = database.prepare(
  "INSERT INTO account (id, accountId, providerId, userId, password, createdAt, updatedAt) VALUES (?, ?, 'credential', ?, ?, ?, ?)",
);
database.exec("BEGIN");
for (let number = 0; number < Number(PEOPLE); number += 1) {
  const id = `u${String(number).padStart(31, "0")}`;
  user.run(id, `person${number}`, `person${number}@example.com`, now, now);
  account.run(`a${id.slice(1)}`, id, id, hash, now, now);
}
database.exec("COMMIT");
database.close();

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const of = { scrypt: "its own scrypt", argon2id: `Argon2id (\`@node-rs/argon2\` ${dependencies["@node-rs/argon2"]})` };
console.log(
  JSON.stringify({
    name: `better-auth ${dependencies["better-auth"]}, ${of[VARIANT as keyof typeof of]}`,
    sign_in: "/api/auth/sign-in/email",
    body: `{"email":"{person}@example.com","password":"${PASSWORD}"}`,
    me: "/api/auth/get-session",
  }),
);
