/** What ends the program with a message and an exit code. */
export class Failure extends Error {
  override name = "Failure";
  /** The exit code. */
  readonly exitCode: number;

  /**
   * @param exitCode The exit code.
   * @param message What happened and what helps; nothing is said if empty.
   */
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
