/** Where the programs are that tests start. */
import { fileURLToPath } from "node:url";

/** The path of a fixture. */
export function fixture(file: string): string {
  return programFile(`tests/fixtures/${file}`);
}

/**
 * The path of a program, given from the project's root: where the suite runs
 * compiled, so do they.
 */
export function programFile(path: string): string {
  const compiled = import.meta.url.endsWith(".js");
  const found = compiled ? path.replace(/\.ts$/, ".js") : path;
  return fileURLToPath(new URL(`../${found}`, import.meta.url));
}
