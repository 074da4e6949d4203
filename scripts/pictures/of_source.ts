import { readFileSync } from "node:fs";

/**
 * Reads a number that a source keeps for itself, so that a picture tells it as
 * it is.
 *
 * @param path The source, from the project's root.
 * @param name The constant.
 * @returns Its value.
 * @throws {RangeError} If the source has no such number any more.
 */
export function constantOf(path: string, name: string): number {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const found = new RegExp(`^const ${name} = ([\\d._]+);`, "m").exec(text);
  if (found) return Number(found[1]!.replaceAll("_", ""));
  throw new RangeError(`${path} has no number ${name}`);
}

/**
 * Fails unless a source still has a text, which a picture shows.
 *
 * @param path The source, from the project's root.
 * @param text The text, as it stands there.
 * @returns The text.
 * @throws {RangeError} If it does not.
 */
export function wordOf(path: string, text: string): string {
  const source = readFileSync(
    new URL(`../../${path}`, import.meta.url),
    "utf8",
  );
  if (source.includes(text)) return text;
  throw new RangeError(`${path} has no ${text}`);
}
