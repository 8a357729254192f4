// The two ways of hashing that are compared: bcrypt as most tutorials have it, and Argon2id at the cost that this tree has for
// those who choose none.
import argon2 from "argon2";
import bcrypt from "bcrypt";

export interface Hashing {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

const ways: Record<string, Hashing> = {
  bcrypt: {
    hash: (password) => bcrypt.hash(password, 10),
    verify: (password, hash) => bcrypt.compare(password, hash),
  },
  argon2id: {
    hash: (password) => argon2.hash(password, { type: argon2.argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1 }),
    verify: (password, hash) => argon2.verify(hash, password),
  },
};

export function hashingOf(variant: string | undefined): Hashing {
  const hashing = ways[variant ?? ""];
  if (!hashing) {
    throw new Error(`not a variant: ${variant}; there are ${Object.keys(ways)}`);
  }
  return hashing;
}
