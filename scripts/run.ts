/**
 * Runs a program to its end.
 *
 * @module
 */

/** What a program said. */
export interface Output {
  /** On standard output. */
  readonly stdout: string;
  /** On standard error. */
  readonly stderr: string;
  /** Its exit code. */
  readonly code: number;
}

/** A program that hangs is ended after this, in milliseconds. */
const LONGEST_MS = 300_000;

/**
 * Runs a program, and fails if it does.
 *
 * @param command The program.
 * @param options Its arguments, and where and with what variables it runs.
 * @returns What it said.
 * @throws {Error} If it exits with another code than 0; says what it said.
 */
export async function run(
  command: string,
  options: Deno.CommandOptions,
): Promise<Output> {
  const output = await tryRun(command, options);
  if (output.code === 0) return output;
  const shown = [command, ...options.args ?? []].join(" ");
  throw new Error(`${shown} failed\n${output.stdout}\n${output.stderr}`);
}

/**
 * Runs a program, and tells how that went.
 *
 * @param command The program.
 * @param options Its arguments, and where and with what variables it runs.
 * @returns What it said.
 */
export async function tryRun(
  command: string,
  options: Deno.CommandOptions,
): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    stdin: "null",
    signal: AbortSignal.timeout(LONGEST_MS),
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
