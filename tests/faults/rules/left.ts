import type { Case } from "../findings.ts";

/** Nothing stays behind: no lock that its worker never gave back either. */
export function checkLeft({ model, findings }: Case): void {
  for (const left of model.left) {
    findings.add("left", `${left.what} is left`, left);
  }
  for (const { tenures } of model.names.values()) {
    for (const { attempt, grant } of tenures) {
      const { worker, release, released, lost, name } = attempt;
      const exit = worker.exits[0];
      if (!exit || worker.killedAt !== undefined || released) continue;
      if (!release && lost) continue;
      const message = `${worker.name} never ` +
        (release ? "learns that it released " : "releases ") + `"${name}"`;
      findings.add("left", message, grant, release, exit);
    }
  }
}
