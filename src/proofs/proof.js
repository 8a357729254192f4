// Solves the proof of work that a sign-in asks for by 429 proof_required. No dependencies; nothing leaves the page.
//
//   import { proof } from "https://auth.example.com/auth/proof.js";
//   body.proof = await proof();
//
// The format is ALTCHA's: the number is wanted for which SHA-256(salt + number) is the challenge.

/** How long it computes before the page gets its turn, in milliseconds. */
const SLICE = 12;

/** Gets a challenge from the service at `base`, by default the one that serves this script, and solves it. */
export async function proof(base = import.meta.url) {
  const answer = await fetch(new URL("/auth/challenge", base), { method: "POST" });
  if (!answer.ok) throw new Error(`No challenge: HTTP ${answer.status}`);
  return solve(await answer.json());
}

/** The proof for a challenge, as a sign-in takes it. */
export async function solve({ algorithm, challenge, maxnumber, salt, signature }) {
  if (algorithm !== "SHA-256") throw new Error(`Cannot compute ${algorithm}`);
  const wanted = Int32Array.from(challenge.match(/.{8}/g), (hex) => Number.parseInt(hex, 16));
  let rested = performance.now();
  for (let number = 0; number <= maxnumber; number += 1) {
    const sum = sha256(salt + number);
    if (sum[0] === wanted[0] && sum.every((word, i) => word === wanted[i])) {
      return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    }
    if (number % 256 === 0 && performance.now() - rested > SLICE) {
      await rest();
      rested = performance.now();
    }
  }
  throw new Error("The challenge has no answer");
}

/** Lets the page do what it has to. Unlike timers, messages are not held up in a tab that is not seen. */
function rest() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

// SHA-256 (FIPS 180-4) of ASCII, at once: crypto.subtle is for secure contexts alone, and slow for so little.

/** The first 32 bits behind the point of the roots of the first 64 primes (sections 4.2.2 and 5.3.3). */
const K = new Int32Array(64);
const H = new Int32Array(8);
for (let n = 2, found = 0; found < 64; n += 1) {
  let divisor = 2;
  while (n % divisor) divisor += 1;
  if (divisor === n) {
    H[found] = (Math.sqrt(n) % 1) * 2 ** 32; // what is behind the eighth is dropped
    K[found] = (Math.cbrt(n) % 1) * 2 ** 32;
    found += 1;
  }
}

function sha256(text) {
  const { length } = text;
  const words = new Int32Array(((length + 72) >> 6) * 16);
  for (let i = 0; i < length; i += 1) words[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));
  words[length >> 2] |= 0x80 << (24 - 8 * (length & 3));
  words[words.length - 1] = 8 * length;
  const sum = H.slice();
  for (let at = 0; at < words.length; at += 16) add(sum, words.subarray(at, at + 16));
  return sum;
}

const W = new Int32Array(64);
const turn = (x, by) => (x >>> by) | (x << (32 - by));

function add(sum, block) {
  W.set(block);
  for (let t = 16; t < 64; t += 1) {
    const x = W[t - 15];
    const y = W[t - 2];
    W[t] = (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + W[t - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)) + W[t - 16];
  }
  let [a, b, c, d, e, f, g, h] = sum;
  for (let t = 0; t < 64; t += 1) {
    const x = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + W[t];
    const y = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + x) | 0, c, b, a, (x + y) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (sum[i] += word));
}
