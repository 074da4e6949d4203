/** How workers reach a server: from this host, or from a second one. */
import { FarHost, noFarHost } from "../far_host.ts";
import type { FaultKind } from "../fault.ts";

/** Which way a slot's workers go. */
export interface Ways<W> {
  /** Each of them; the last one is the second host's if there is one. */
  readonly all: readonly W[];
  /** A slot's way. */
  of(slot: number): W;
  /** One of them, by a number of at least 0 and less than 1. */
  choose(choice: number): W;
  /** The command that starts a slot's worker, around the runtime's own. */
  wrap(slot: number, command: readonly string[]): readonly string[];
  /** The cut between the hosts. */
  readonly cutApart: FaultKind;
  /** Removes the second host. */
  end(): void;
}

/** Two ways on this host, so that a fault of one is not a fault of all. */
const NEAR = 2;

/** Opens ways: of each four slots the last one is on the second host. */
export async function openWays<W>(
  open: (address: string) => Promise<W>,
  recoveryMs: number,
): Promise<Ways<W>> {
  const missing = noFarHost();
  const far = missing ? null : FarHost.start();
  const all: W[] = [];
  for (let i = 0; i < NEAR; i++) all.push(await open("127.0.0.1"));
  if (far) all.push(await open(far.address));
  const isFar = (slot: number): boolean => far !== null && slot % 4 === 3;
  return {
    all,
    of: (slot) => all[isFar(slot) ? NEAR : slot % NEAR]!,
    choose: (choice) => all[Math.floor(choice * all.length)]!,
    wrap: (slot, command) => isFar(slot) ? far!.wrap(command) : command,
    cutApart: {
      kind: "hosts cut apart",
      suspends: ["order", "progress"],
      recoveryMs,
      lastsMs: [200, 4000],
      missing,
      begin: () => {
        far?.cut();
        return () => far?.join();
      },
    },
    end: () => far?.end(),
  };
}
