/**
 * Draws the pictures of the documentation: `deno task pictures`.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { drawSequence } from "./pictures/draw_sequence.ts";
import { handOverDynamo } from "./pictures/hand_over_dynamo.ts";
import { handOverFile } from "./pictures/hand_over_file.ts";
import { handOverRedis } from "./pictures/hand_over_redis.ts";
import { handOverSocket } from "./pictures/hand_over_socket.ts";
import type { Sequence } from "./pictures/sequence.ts";

/** Where they are. */
export const folder: URL = new URL("../docs/pictures/", import.meta.url);

const sequences: Readonly<Record<string, Sequence>> = {
  "hand_over_socket.svg": handOverSocket,
  "hand_over_file.svg": handOverFile,
  "hand_over_redis.svg": handOverRedis,
  "hand_over_dynamo.svg": handOverDynamo,
};

/**
 * Draws them all.
 *
 * @returns The files' texts by their names.
 */
export function drawPictures(): Map<string, string> {
  return new Map(
    Object.entries(sequences).map(([file, sequence]) => [
      file,
      drawSequence(sequence),
    ]),
  );
}

function main(): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of drawPictures()) {
    writeFileSync(new URL(file, folder), text);
    console.log(`docs/pictures/${file}`);
  }
}

if (import.meta.main) main();
