/**
 * Sees to DynamoDB Local, the vendor's own engine, for the tests of DynamoLock:
 * fetches it by Maven into `.runtimes/dynamodb-local/`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const VERSION = "2.6.1";
const JAVA = 17;

/** Maven tries again for very long where the network is silent. */
const LONGEST_MS = 300_000;

const folder = fileURLToPath(
  new URL("../.runtimes/dynamodb-local", import.meta.url),
);

/**
 * Fetches DynamoDB Local if it is not there yet, and says on stdout what it
 * does. Where it cannot be had, or Java is missing, its tests are skipped; the
 * ones that use `DYNAMODB_ENDPOINT` need neither.
 */
export async function ensureDynamoDbLocal(): Promise<void> {
  const endpoint = Deno.env.get("DYNAMODB_ENDPOINT");
  if (endpoint) return say(`the tests use ${endpoint}`);
  try {
    await checkJava();
    if (await isIn(folder)) return say(`${VERSION} is here already`);
    await fetchJars();
  } catch (error) {
    say(`its tests are skipped: ${(error as Error).message}`);
  }
}

async function checkJava(): Promise<void> {
  // It says so on standard error: `openjdk version "17.0.15" 2025-04-15`.
  const { text } = await run("java", "-version");
  const version = Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
  if (version < JAVA) throw new Error(`it needs Java ${JAVA} or later`);
}

async function fetchJars(): Promise<void> {
  say(`fetching ${VERSION} by Maven into .runtimes/dynamodb-local`);
  const started = performance.now();
  // Into a folder of our own first: whoever finds `folder` finds it whole.
  const own = `${folder}.${Deno.pid}`;
  try {
    await Deno.mkdir(own, { recursive: true });
    await Deno.writeTextFile(`${own}/pom.xml`, POM);
    await copyJars(own);
    await moveInto(own);
  } finally {
    await remove(own);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`${VERSION} is here now, after ${seconds} s`);
}

async function copyJars(own: string): Promise<void> {
  const { success, text } = await run(
    "mvn",
    ...["--quiet", "--batch-mode", "--file", `${own}/pom.xml`],
    ...["dependency:copy-dependencies", `-DoutputDirectory=${own}/lib`],
  );
  if (success && await isIn(own)) return;
  const [reason] = text.trim().split("\n");
  throw new Error(`Maven failed: ${reason || "it took too long"}`);
}

async function moveInto(own: string): Promise<void> {
  // Another run of this script may have been faster; its copy is as good.
  if (await isIn(folder)) return;
  await remove(folder);
  await Deno.rename(own, folder);
}

async function isIn(folder: string): Promise<boolean> {
  try {
    await Deno.stat(`${folder}/lib/DynamoDBLocal-${VERSION}.jar`);
    return true;
  } catch {
    return false;
  }
}

async function run(
  command: string,
  ...args: string[]
): Promise<{ success: boolean; text: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      stdin: "null",
      signal: AbortSignal.timeout(LONGEST_MS),
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    return { success, text: `${out}${err}` };
  } catch {
    throw new Error(`${command} is not installed`);
  }
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => undefined);
}

function say(text: string): void {
  console.log(`dynamodb-local: ${text}`);
}

// The libraries that it needs, among them those in native code, come along.
const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>x.locking</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

if (import.meta.main) await ensureDynamoDbLocal();
