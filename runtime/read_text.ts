// Others may make a file as large as they like; the table of a host with many
// sockets has megabytes.
const MOST_READ = 1 << 24;

const PIECE = 65_536;

/**
 * Reads the beginning of a file, whose size nobody can tell before: that of a
 * file in `/proc` is 0.
 *
 * @param read Reads the next bytes into a buffer; returns how many, 0 at the
 * end.
 * @returns The text.
 */
export function readText(read: (buffer: Uint8Array) => number): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(PIECE);
  let text = "";
  for (let size = 0; size < MOST_READ;) {
    const length = read(buffer);
    if (length === 0) break;
    size += length;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return text + decoder.decode();
}
