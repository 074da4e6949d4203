/**
 * Reads the JUnit reports of Deno, Bun and Node, which agree on little but the
 * names of their elements.
 *
 * @module
 */

/** What became of one test. */
export interface TestResult {
  /** The test's name, after those of the suites around it. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What the report says about the failure; empty for the others. */
  readonly detail: string;
}

interface OpenTest extends TestResult {
  outcome: TestResult["outcome"];
  detail: string;
}

const element =
  /<(\/?)(testsuite|testcase|failure|error|skipped)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;

/**
 * The tests of a report; suites do not count.
 *
 * @param xml The report.
 * @returns Its tests, in the report's order.
 */
export function parseJunit(xml: string): TestResult[] {
  const suites: string[] = [];
  const tests: OpenTest[] = [];
  for (const match of xml.matchAll(element)) {
    const [tag, closing, kind, attributes = "", empty] = match;
    const name = attribute(attributes, "name");
    if (kind === "testsuite") {
      if (closing) suites.pop();
      else if (!empty) suites.push(name);
    } else if (kind === "testcase") {
      if (!closing) tests.push(newTest([...suites.filter(isTitle), name]));
    } else if (!closing) {
      settle(tests.at(-1), kind, xml.slice(match.index + tag.length));
    }
  }
  return leaves(tests);
}

function newTest(path: string[]): OpenTest {
  return { name: path.join(" > "), outcome: "passed", detail: "" };
}

/** Deno and Bun make a suite of each file, too, Deno even of its own. */
function isTitle(suite: string): boolean {
  return !/\.ts$|^ext:/.test(suite);
}

function settle(
  test: OpenTest | undefined,
  kind: string | undefined,
  rest: string,
): void {
  if (!test) return;
  test.outcome = kind === "skipped" ? "skipped" : "failed";
  if (test.outcome === "skipped") return;
  test.detail = unescape(rest.slice(0, Math.max(0, rest.indexOf("</")))).trim();
}

/**
 * Drops Deno's entries for suites, which stand beside those of their tests,
 * except for one that failed though none of its tests did: a hook's failure.
 */
function leaves(tests: OpenTest[]): TestResult[] {
  return tests.filter((test) => {
    const inner = tests.filter(({ name }) =>
      name.startsWith(`${test.name} > `)
    );
    if (inner.length === 0) return true;
    return test.outcome === "failed" &&
      inner.every(({ outcome }) => outcome !== "failed");
  });
}

function attribute(attributes: string, name: string): string {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes);
  return unescape(match?.[1] ?? "");
}

const entities: Record<string, string> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescape(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal, hex, name) => {
      if (decimal) return String.fromCodePoint(Number(decimal));
      if (hex) return String.fromCodePoint(parseInt(hex, 16));
      return entities[name] ?? whole;
    },
  );
}
