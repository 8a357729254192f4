// better-auth as its own guide has it, on SQLite: sign-in by address and password, and what it comes with, but for the limit
// on requests of one address, since here all come from one. Its hash is its own scrypt, or Argon2id as its documentation
// shows it, at the cost that this tree has for those who choose none.
import { Algorithm, hash as argon2, verify as verifyArgon2 } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { SqliteDialect } from "kysely";
import Database from "libsql";

export interface Hashing {
  hash(password: string): Promise<string>;
  verify(data: { hash: string; password: string }): Promise<boolean>;
}

const ways: Record<string, Hashing> = {
  scrypt: { hash: hashPassword, verify: verifyPassword },
  argon2id: {
    hash: (password) => argon2(password, { algorithm: Algorithm.Argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1 }),
    verify: ({ hash, password }) => verifyArgon2(hash, password),
  },
};

export function hashingOf(variant: string | undefined): Hashing {
  const hashing = ways[variant ?? ""];
  if (!hashing) {
    throw new Error(`not a variant: ${variant}; there are ${Object.keys(ways)}`);
  }
  return hashing;
}

const port = process.env.PORT ?? "3000";

export const database = new Database(`${process.env.FOLDER}/auth.db`);
database.pragma("journal_mode = WAL");

export const auth = betterAuth({
  database: { dialect: new SqliteDialect({ database }), type: "sqlite", transaction: true },
  baseURL: `http://127.0.0.1:${port}`,
  secret: "for a measurement on one machine",
  // Without one of its own for a variant, it is what the package comes with.
  emailAndPassword: { enabled: true, password: process.env.VARIANT === "scrypt" ? undefined : hashingOf(process.env.VARIANT) },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
