/** Text that comes in pieces, by its lines. */

/** What text comes out of. */
interface Readable {
  on(event: "data", listener: (data: Uint8Array | string) => void): unknown;
}

/** Calls back for each whole line; the lines are taken for ASCII. */
export function eachLine(
  from: Readable,
  onLine: (line: string) => void,
): void {
  let rest = "";
  from.on("data", (data) => {
    const lines = (rest + String(data)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}
