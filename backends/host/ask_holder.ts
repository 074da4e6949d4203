import { runtime } from "../../runtime/mod.ts";
import type { Holder } from "../core/holder.ts";
import { listeningAddresses } from "./listening.ts";
import { ANSWER_MS } from "./periods.ts";
import { visit } from "./visit.ts";
import { ASK_HOLDER, type Reply } from "./wire.ts";

/**
 * What a reply says of the holder.
 *
 * @param reply What the holder said.
 * @returns The holder.
 */
export function toHolder(reply: Reply): Holder {
  return {
    host: reply.host,
    pid: reply.pid,
    acquiredAt: new Date(reply.acquiredAt),
  };
}

/**
 * Asks whoever listens at one of some addresses who they are.
 *
 * @param addresses The addresses, to be tried in turn; whoever has the lock
 * listens at the first.
 * @returns The holder; one without a process id if nobody answers in time; null
 * if nobody listens.
 * @throws {RuntimeFault} If the system refuses.
 */
export async function askHolder(
  addresses: readonly [door: string, ...others: string[]],
): Promise<Holder | null> {
  for (const address of addresses) {
    const holder = await askAt(address);
    if (holder !== null) return holder;
  }
  return isBound(addresses[0]) ? unknown() : null;
}

// A holder that is stopped may have so many at its door that nobody gets there.
function isBound(address: string): boolean {
  const text = runtime.files.read("/proc/net/unix") ?? "";
  return listeningAddresses(text).includes(address);
}

function unknown(): Holder {
  return { host: runtime.identity.host(), pid: 0 };
}

async function askAt(address: string): Promise<Holder | null> {
  const end = await visit(address, {
    hello: ASK_HOLDER,
    pollMs: { deaf: ANSWER_MS, answered: 0 },
    onReply: () => {},
  });
  if (end.reply) return toHolder(end.reply);
  return end.gone ? null : unknown();
}
