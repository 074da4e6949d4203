/**
 * The `file:line` of whoever called a constructor: the default name of a lock,
 * so that two processes which run the same line exclude each other.
 *
 * @param constructor The constructor that was called (`new.target`): its frame
 * and those inside it are left out, so the library's own files never show.
 * @returns Such as `/srv/app/job.ts:12`.
 */
export function callerLocation(
  constructor: abstract new (...args: never[]) => unknown,
): string {
  const location = parseFrame(firstFrame(constructor));
  if (location === null) {
    throw new TypeError(
      "A lock needs a name here: the caller's file and line cannot be told",
    );
  }
  return location;
}

// A program may have put a function of its own in Error.prepareStackTrace, which
// may throw, or make something else of a stack.
function firstFrame(
  constructor: abstract new (...args: never[]) => unknown,
): string {
  const limit = Error.stackTraceLimit;
  const trace: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(trace, constructor);
    return typeof trace.stack === "string" ? trace.stack : "";
  } finally {
    Error.stackTraceLimit = limit;
  }
}

// A frame of V8, and of Bun in V8's manner: `    at f (file:///a/b.ts:3:25)` or
// `    at /a/b.ts:4:13`.
function parseFrame(stack: string): string | null {
  const frame = stack.split("\n").find((line) => /^\s+at /.test(line));
  const match = frame?.match(
    /(?:\(|at (?:async )?)([^()]+?):(\d+)(?::\d+)?\)?$/,
  );
  if (!match) return null;
  return `${filePath(match[1]!)}:${match[2]}`;
}

// Deno names modules by URL and Bun by path: the same line of the same file is
// to be the same lock.
function filePath(location: string): string {
  if (!location.startsWith("file://")) return location;
  return decodeURIComponent(new URL(location).pathname);
}
