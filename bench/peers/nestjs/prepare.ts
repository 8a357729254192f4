// Makes the one hash of all people, and says what to ask (bench/src/peers/peer.rs).
import { readFileSync, writeFileSync } from "node:fs";
import { hashingOf } from "./hashes.js";

const { FOLDER, PASSWORD, PEOPLE, VARIANT } = process.env;
const hash = await hashingOf(VARIANT).hash(PASSWORD ?? "");
writeFileSync(`${FOLDER}/people.json`, JSON.stringify({ people: Number(PEOPLE), hash }));

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const of = { bcrypt: `bcrypt 10 (\`bcrypt\` ${dependencies.bcrypt})`, argon2id: `Argon2id (\`argon2\` ${dependencies.argon2})` };
console.log(
  JSON.stringify({
    name: `NestJS ${dependencies["@nestjs/core"]}, passport-local, ${of[VARIANT as keyof typeof of]}`,
    sign_in: "/auth/signin",
    body: `{"email":"{person}@example.com","password":"${PASSWORD}"}`,
    token: "token",
    me: "/auth/me",
  }),
);
