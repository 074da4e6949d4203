import type { Case } from "../findings.ts";
import type { ExitEvent } from "../history.ts";

/** Each worker ends once: killed by the suite, or by itself without a fault. */
export function checkExits({ model, findings }: Case): void {
  for (const { name, starts, exits } of model.workers.values()) {
    if (exits.length === 0) {
      findings.add("exits", `${name} never ends`, starts[0]);
    } else if (exits.length > 1) {
      findings.add("exits", `${name} ends twice`, ...exits);
    }
    for (const exit of exits) {
      if (isAsIntended(exit)) continue;
      const intent = exit.killedAt === undefined
        ? "ended"
        : "was killed, ended";
      findings.add(
        "exits",
        `${name} ${intent} with ${describeExit(exit)}`,
        exit,
      );
    }
  }
}

function isAsIntended({ killedAt, code, signal }: ExitEvent): boolean {
  return killedAt === undefined
    ? code === 0 && signal === null
    : signal === "SIGKILL";
}

/** In which way a process ended: its signal, or its code. */
export function describeExit({ code, signal }: ExitEvent): string {
  return signal ?? `code ${code}`;
}
