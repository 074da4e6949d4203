/**
 * How wide texts are. Nobody knows the reader's font, so this is a wide one's.
 *
 * @module
 */

/** The width of an average letter: of the text's font, and of a code's. */
const LETTER = 8;
const CODE_LETTER = 7.9;

/**
 * Breaks a text into lines.
 *
 * @param text The text.
 * @param width How wide they may be, in pixels.
 * @returns The lines.
 * @throws {RangeError} If a word is too long for one.
 */
export function breakLines(text: string, width: number): string[] {
  const most = Math.floor(width / LETTER);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (word.length > most) throw new RangeError(`"${word}" is too long`);
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > most) lines.push(line);
    line = longer.length > most ? word : longer;
  }
  return [...lines, line];
}

/**
 * Tells how wide lines are.
 *
 * @param lines The lines.
 * @returns The width of the longest, in pixels.
 */
export function widthOf(lines: readonly string[]): number {
  return Math.max(...lines.map(({ length }) => length * LETTER));
}

/**
 * Fails where a code does not fit.
 *
 * @param text The code.
 * @param width How wide it may be, in pixels.
 * @returns The code.
 * @throws {RangeError} If it is wider.
 */
export function fitCode(text: string, width: number): string {
  if (text.length * CODE_LETTER <= width) return text;
  throw new RangeError(`"${text}" is wider than ${width} pixels`);
}
