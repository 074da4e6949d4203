/**
 * What the documentation's examples use of `@std/assert`, for machines that
 * cannot reach JSR.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

/** The class of an error. */
type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** Fails unless the condition holds. */
export function assert(
  condition: unknown,
  message?: string,
): asserts condition {
  nodeAssert.ok(condition, message);
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.deepEqual(actual, expected, message);
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.notDeepEqual(actual, expected, message);
}

/** Fails unless both are the same. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.equal(actual, expected, message);
}

/** Fails for null and undefined. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  nodeAssert.ok(actual !== null && actual !== undefined, message);
}

/** Fails unless the error is of the class and has the text in its message. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes = "",
): asserts error is E {
  nodeAssert.ok(error instanceof (errorClass ?? Error), String(error));
  nodeAssert.ok(error.message.includes(messageIncludes), error.message);
}

/** Fails unless the value is of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
): asserts actual is T {
  nodeAssert.ok(actual instanceof expected, `Not a ${expected.name}`);
}

/** Fails unless the function throws; returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
): E {
  try {
    fn();
  } catch (error) {
    assertIsError(error, errorClass, messageIncludes);
    return error;
  }
  return nodeAssert.fail("Expected function to throw");
}

/** Fails unless the function rejects; resolves to what it rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    assertIsError(error, errorClass, messageIncludes);
    return error;
  }
  return nodeAssert.fail("Expected function to reject");
}
