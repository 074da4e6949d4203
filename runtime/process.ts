/**
 * The part of the `process` object that all three runtimes share, reached
 * without an import so that every adapter can be loaded everywhere.
 *
 * @module
 */

/** The members of `process` that the adapters use. */
export interface ProcessLike {
  /** This process's id. */
  readonly pid: number;
  /** The operating system: `"linux"`, `"darwin"`, `"win32"`. */
  readonly platform: string;
  /** The versions of the runtime's parts. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** The environment's variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Loads a module of the runtime's own, synchronously. */
  getBuiltinModule?(id: string): unknown;
}

/**
 * The global `process`, where there is one. Deno sets up all that it has of
 * Node when it is first touched, which takes longer than to start.
 *
 * @returns The object, or undefined.
 */
export function processLike(): ProcessLike | undefined {
  return (globalThis as { process?: ProcessLike }).process;
}

/**
 * Loads a module of the runtime's own on first use, so that a program pays
 * only for what it needs.
 *
 * @typeParam T The module's type.
 * @param id The module's name, such as `"node:net"`.
 * @returns The module.
 */
export function builtin<T>(id: string): T {
  const module = processLike()?.getBuiltinModule?.(id);
  if (module === undefined) throw new Error(`No module "${id}" here`);
  return module as T;
}

/**
 * A variable of the environment.
 *
 * @param name The variable's name.
 * @returns Its value; undefined where it is unset or empty.
 */
export function environment(name: string): string | undefined {
  return processLike()?.env[name] || undefined;
}
