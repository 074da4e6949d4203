import type { Case } from "../findings.ts";
import type { GrantEvent } from "../history.ts";
import type { Named, Tenure } from "../model.ts";

/** Tokens are unique, and grow from each grant to who asks after it. */
export function checkFencing(it: Case): void {
  for (const named of it.model.names.values()) {
    for (const { grant } of named.tenures) checkToken(grant, it);
    if (!it.promised.fenced) continue;
    checkUnique(named, it);
    checkGrowth(named, it);
  }
}

function checkToken(grant: GrantEvent, { promised, findings }: Case): void {
  const isToken = grant.token !== null && /^\d+$/.test(grant.token);
  if (promised.fenced ? isToken : grant.token === null) return;
  const token = grant.token ?? "no token";
  findings.add("fencing", `${promised.kind} grants ${token}`, grant);
}

function checkUnique({ name, tenures }: Named, { findings }: Case): void {
  const seen = new Map<string, GrantEvent>();
  for (const { grant } of tenures) {
    if (grant.token === null) continue;
    const first = seen.get(grant.token);
    if (!first) seen.set(grant.token, grant);
    else {
      const message = `"${name}" has token ${grant.token} twice`;
      findings.add("fencing", message, first, grant);
    }
  }
}

function checkGrowth({ name, tenures }: Named, { findings }: Case): void {
  const asking = [...tenures].sort((a, b) => askedAt(a) - askedAt(b));
  let granted = 0;
  let greatest: GrantEvent | undefined;
  for (const { attempt: { invoke }, grant } of asking) {
    for (
      let past = tenures[granted];
      past && past.from < invoke.at;
      past = tenures[++granted]
    ) {
      if (!greatest || tokenOf(past.grant) > tokenOf(greatest)) {
        greatest = past.grant;
      }
    }
    // An equal token is one that is there twice.
    if (!greatest || tokenOf(grant) >= tokenOf(greatest)) continue;
    const message = `a token of "${name}" is less than one before it`;
    findings.add("fencing", message, greatest, invoke, grant);
  }
}

function askedAt({ attempt }: Tenure): number {
  return attempt.invoke.at;
}

function tokenOf({ token }: GrantEvent): bigint {
  return /^\d+$/.test(token ?? "") ? BigInt(token!) : 0n;
}
