import { RuntimeFault } from "./fault.ts";

/**
 * A variable of the environment, where Deno may read it without asking.
 *
 * @param name The variable's name.
 * @returns Its value; undefined where it is unset, empty or not to be read.
 */
export function environment(name: string): string | undefined {
  const wanted = { name: "env", variable: name } as const;
  if (Deno.permissions.querySync(wanted).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}

let deploy: boolean | undefined;

/**
 * Whether this is Deno Deploy. A lock of one host would be taken there, and
 * exclude nobody: the copies of a program run on hosts of their own.
 *
 * @returns Whether it is; the service sets the variable `DENO_DEPLOY` to 1.
 */
export function isDenoDeploy(): boolean {
  return deploy ??= environment("DENO_DEPLOY") === "1";
}

/**
 * Refuses what only a host can give.
 *
 * @throws {RuntimeFault} On Deno Deploy.
 */
export function refuseDenoDeploy(): void {
  if (!isDenoDeploy()) return;
  throw new RuntimeFault(
    "hostless",
    "the copies of a program on Deno Deploy share no host",
  );
}
