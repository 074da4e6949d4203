/** A process with the requests of Python's `locking` on DynamoDB. */
import { Child } from "./_child.ts";
import { fixture } from "./_fixture.ts";
import { within } from "./_time.ts";

/** What the original takes, and what is wrong with its clock. */
export interface PythonDynamoOptions {
  /** @default "locks" */
  table?: string;
  /** In seconds, as in the original. @default 5 */
  ttl?: number;
  /** How many seconds its clock is ahead. @default 0 */
  clockShift?: number;
}

/** A Python process that has one lock. */
export class PythonDynamo {
  /** The process. */
  readonly child: Child;

  private constructor(child: Child) {
    this.child = child;
  }

  /** Starts a process with the lock of that name, which it does not take. */
  static async start(
    endpoint: string,
    name: string,
    { table = "locks", ttl = 5, clockShift = 0 }: PythonDynamoOptions = {},
  ): Promise<PythonDynamo> {
    const child = new Child([
      ...["/usr/bin/python3", fixture("python_dynamo.py")],
      ...[endpoint, table, name, String(ttl), `--clock-shift=${clockShift}`],
    ]);
    await child.line("ready", 20_000);
    return new PythonDynamo(child);
  }

  /** Has it send a request, and tells what became of it. */
  async ask(request: "acquire" | "beat" | "release"): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => {
      this.child.onLine(resolve);
      this.child.exited.then(() => reject(new Error(this.child.describe())));
    });
    this.child.write(request);
    return await within(5000, request, answer);
  }

  /** Kills the process. */
  async end(): Promise<void> {
    await this.child.end();
  }
}
