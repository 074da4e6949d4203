/**
 * Reading what others wrote: anything may stand there.
 *
 * @module
 */

/**
 * Reads an object out of a text.
 *
 * @param text What should be JSON.
 * @returns The object, or an empty one.
 */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : {};
  } catch {
    return {};
  }
}

/**
 * Tells whether a value can be a process id.
 *
 * @param value Any value.
 * @returns Whether it is a positive integer.
 */
export function isPid(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number > 0;
}

/**
 * Tells whether a value can be a duration or a time in milliseconds.
 *
 * @param value Any value.
 * @returns Whether it is a number that a Date can hold, and not negative.
 */
export function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 8.64e15;
}

/**
 * Text of others as it can stand in a line of a message: what a terminal obeys
 * or does not show, such as control characters and changes of direction, is
 * written as in JSON.
 *
 * @param text Any text.
 * @returns Printable text.
 */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (char) => {
    let escaped = "";
    for (let i = 0; i < char.length; i++) {
      const code = char.charCodeAt(i).toString(16).padStart(4, "0");
      escaped += `\\u${code}`;
    }
    return escaped;
  });
}
