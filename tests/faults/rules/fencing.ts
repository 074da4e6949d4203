import type { Case } from "../findings.ts";
import type { GrantEvent } from "../history.ts";
import type { Named, Tenure } from "../model.ts";

/** Tokens are unique, and grow from each grant to who asks after it. */
export function checkFencing(it: Case): void {
  for (const named of it.model.names.values()) {
    for (const { grant } of named.tenures) checkToken(grant, it);
    checkUnique(named, it);
    checkGrowth(named, it);
  }
}

/** A token as a number; 0 if it is none. */
export function tokenOf({ token }: { readonly token: string | null }): bigint {
  return /^\d+$/.test(token ?? "") ? BigInt(token!) : 0n;
}

function checkToken(grant: GrantEvent, { promised, findings }: Case): void {
  if (promised.fenced ? tokenOf(grant) > 0n : grant.token === null) return;
  const token = grant.token === null ? "no token" : `token ${grant.token}`;
  findings.add("fencing", `a grant of ${promised.kind} has ${token}`, grant);
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
  const asking = tenures.filter(({ grant }) => tokenOf(grant) > 0n)
    .sort((a, b) => askedAt(a) - askedAt(b));
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
