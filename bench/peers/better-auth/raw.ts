// How many hashes a second its own function makes in LASTS seconds when there is nothing else to do: as many at once as libuv has
// threads for them, as in the server.
import { hashingOf } from "./auth.js";

const { PASSWORD, LASTS, VARIANT } = process.env;
const hashing = hashingOf(VARIANT);
const password = PASSWORD ?? "";
const hash = await hashing.hash(password);
const began = performance.now();
const end = began + 1000 * Number(LASTS);
let made = 0;
const one = async () => {
  while (performance.now() < end) {
    if (!(await hashing.verify({ hash, password }))) {
      throw new Error("the right password was refused");
    }
    made += 1;
  }
};
await Promise.all(Array.from({ length: 4 }, one));
console.log((1000 * made) / (performance.now() - began));
