import { commandLine } from "../runtime/command_line/mod.ts";
import type { Signal } from "../runtime/command_line/types.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

const FORWARDED: readonly Signal[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
];

/** The signals that this process gets, from now on. */
export class Signals {
  readonly #controller = new AbortController();
  #forward: ((name: Signal) => void) | null = null;

  /** Listens to all signals that a command may want to hear. */
  constructor() {
    for (const name of FORWARDED) {
      commandLine.onSignal(name, () => this.#hear(name));
    }
  }

  /** Aborts when a signal comes while there is nobody to forward it to. */
  get aborted(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Forwards signals from now on.
   *
   * @param forward Called with each signal; null where nobody is left.
   */
  forwardTo(forward: ((name: Signal) => void) | null): void {
    this.#forward = forward;
  }

  #hear(name: Signal): void {
    if (this.#forward) return this.#forward(name);
    const code = EXIT_CODES.signal + commandLine.signalNumber(name);
    this.#controller.abort(new Failure(code, ""));
  }
}
