/** Where the fixtures are. */
import { fileURLToPath } from "node:url";

/** The path of a fixture; compiled, the suite has compiled ones. */
export function fixture(file: string): string {
  const name = import.meta.url.endsWith(".js")
    ? file.replace(/\.ts$/, ".js")
    : file;
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
}
