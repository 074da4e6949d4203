import type { Identity } from "./types.ts";
import { builtin } from "./process.ts";

/**
 * This process's identity.
 *
 * @param pid The process's id.
 * @param hostname Tells the host's name; may fail.
 * @returns The identity.
 */
export function createIdentity(
  pid: number,
  hostname: () => string,
): Identity {
  let host: string | undefined;
  return {
    pid,
    host: () => host ??= hostOrRandom(hostname),
    randomId,
  };
}

// Without the permission to know it, the host is still told apart from others.
function hostOrRandom(hostname: () => string): string {
  try {
    return hostname();
  } catch {
    return `host-${randomId()}`;
  }
}

function randomId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/**
 * A digest of some bytes. The web's own is asynchronous, and a name must become
 * an address at once.
 *
 * @param algorithm How to hash.
 * @param bytes What to hash.
 * @returns Two hexadecimal digits a byte.
 */
export function digest(
  algorithm: "sha1" | "sha256",
  bytes: Uint8Array,
): string {
  const crypto = builtin<typeof import("node:crypto")>("node:crypto");
  return crypto.createHash(algorithm).update(bytes).digest("hex");
}
