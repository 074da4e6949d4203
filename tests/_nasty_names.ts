/** Names that are hard to keep apart, written out and generated. */

/** Names that a careless encoding confuses with one another. */
export const NASTY_NAMES: readonly string[] = [
  "..",
  ".",
  "...",
  "%2E",
  "%2E%2E",
  "%2e%2e",
  "../a",
  "..%2Fa",
  "%2E%2E%2Fa",
  "/",
  "//",
  "%2F",
  "%252F",
  "a/b",
  "a_b",
  "a%2Fb",
  "a%2fb",
  "a\\b",
  "a b",
  "a+b",
  "a%20b",
  "a\0b",
  "a\0",
  "a",
  "\0a",
  "\0",
  "A",
  "a ",
  " a",
  "a\n",
  "#",
  "#a",
  "%23a",
  "h\u00e9", // NFC
  "he\u0301", // NFD
  "h\u00c9",
  "\ufb01", // a ligature, which NFKC would take apart
  "fi",
  "\ufffd", // what a TextEncoder makes of each of the next
  "\ud800",
  "\ud801",
  "\udc00",
  "\udc00\ud800",
  "\ud800a",
  "%ED%A0%80", // what the lone surrogate is encoded as
  "\ud83d\ude00",
  "\u200b",
  "a\u200b",
  "x".repeat(1000),
  "x".repeat(999),
  "x".repeat(999) + "y",
  "/".repeat(1000),
  "\u00e9".repeat(1000),
  "\ud800".repeat(1000),
  "\udfff".repeat(1000),
  "constructor",
  "__proto__",
  "toString",
  "-",
  "--help",
  "~",
  "$HOME",
  "*",
];

const PIECES: readonly string[] = [
  "a",
  "A",
  "b",
  ".",
  "..",
  "/",
  "_",
  "%",
  "%2F",
  "%2E",
  "%25",
  "#",
  ":",
  "@",
  "-",
  " ",
  "\0",
  "\n",
  "\u00e9",
  "e\u0301",
  "\u65e5",
  "\u{1f512}",
  "\ud800",
  "\udfff",
  "\ufffd",
  "locking:",
  "\\",
  "~",
];

/**
 * Generated names, each different, the same in every run: short ones, which
 * meet each other, and ones about the lengths at which hashing begins.
 */
export function generateNames(count: number): string[] {
  const random = generator(20_240_607);
  const names = new Set<string>(NASTY_NAMES);
  while (names.size < count) {
    let name = "";
    const pieces = 1 + random(6);
    for (let i = 0; i < pieces; i++) name += PIECES[random(PIECES.length)];
    if (random(4) === 0) name = "n".repeat(60 + random(150)) + name;
    if (random(50) === 0) name += name.repeat(random(40));
    names.add(name);
  }
  return [...names];
}

// A linear congruential generator, with the constants of Numerical Recipes.
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
