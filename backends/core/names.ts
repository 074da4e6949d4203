import { runtime } from "../../runtime/mod.ts";

const PLAIN = /^[A-Za-z0-9._:/@-]*$/;

/**
 * Checks a lock's name.
 *
 * @param name What the caller gave.
 * @throws {TypeError} If it is not a string or is empty.
 */
export function checkName(name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "") return;
  const got = typeof name === "string" ? "an empty string" : typeof name;
  throw new TypeError(
    `A lock's name must be a non-empty string, got ${got}`,
  );
}

/**
 * Encodes a name so that it can stand in a socket's address: characters outside
 * `[A-Za-z0-9._:/@-]` as percent signs and upper-case hexadecimal digits of
 * their UTF-8 bytes. Injective: two names never have one encoding.
 *
 * @param name Any string.
 * @returns ASCII text.
 */
export function encodeName(name: string): string {
  if (PLAIN.test(name)) return name;
  let encoded = "";
  for (const char of name) {
    encoded += PLAIN.test(char) ? char : percent(utf8(char));
  }
  return encoded;
}

/**
 * The name that an encoding stands for.
 *
 * @param encoded What {@linkcode encodeName} may have made.
 * @returns The name; null for what no name of well-formed Unicode is encoded
 * as.
 */
export function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return name !== "" && encodeName(name) === encoded ? name : null;
  } catch {
    return null;
  }
}

/**
 * The UTF-8 bytes of a string, with a lone surrogate as its three bytes
 * (WTF-8). A TextEncoder would make the same replacement character of every
 * lone surrogate, and so one lock of different names.
 *
 * @param text Any string.
 * @returns The bytes.
 */
export function utf8(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) {
      bytes.push(
        0xe0 | code >> 12,
        0x80 | code >> 6 & 0x3f,
        0x80 | code & 0x3f,
      );
    } else {
      bytes.push(...new TextEncoder().encode(char));
    }
  }
  return Uint8Array.from(bytes);
}

/**
 * Bytes as percent signs and upper-case hexadecimal digits.
 *
 * @param bytes The bytes.
 * @returns Three characters a byte.
 */
export function percent(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }
  return text;
}

const DIGEST = /^#[0-9a-f]{64}$/;

/**
 * A name as a server keeps it: itself, or its digest where it is too long, is
 * no well-formed Unicode, of which a server would make the same replacement
 * character, or looks like a digest. So two names are never kept as one.
 *
 * @param name Any string.
 * @param longest The most bytes that the server keeps of a name.
 * @returns The name, or `#` and its SHA-256 in hexadecimal.
 */
export function keptName(name: string, longest = Infinity): string {
  // No character of a string takes more than three bytes.
  const fits = 3 * name.length <= longest || utf8(name).length <= longest;
  if (fits && name.isWellFormed() && !DIGEST.test(name)) return name;
  return `#${runtime.digest("sha256", utf8(name))}`;
}
