/**
 * A second host on this machine: a network namespace with a cable to this one.
 * Its addresses are link-local, and exist on that cable alone.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { noProgram } from "../_platform.ts";

/** Why there can be no second host here, or false. */
export function noFarHost(): string | false {
  if (process.getuid?.() !== 0) return "a second host needs root";
  return noProgram("ip", "netns", "list");
}

/** A second host. */
export class FarHost {
  /** This host's address, as the second one sees it. */
  readonly address: string;
  readonly #name: string;
  readonly #cable: string;

  private constructor(index: number) {
    this.#name = `locking-far-${process.pid}-${index}`;
    this.#cable = `lk${process.pid}-${index}`;
    // Another run's cable has another network.
    const network = (process.pid * 4 + index) % 250 + 2;
    this.address = `169.254.${network}.1`;
  }

  /** Makes it, and plugs the cable in. */
  static start(index = 0): FarHost {
    const host = new FarHost(index);
    const far = `${host.#cable}f`;
    ip("netns", "add", host.#name);
    try {
      ip("link", "add", host.#cable, "type", "veth", "peer", far);
      ip("link", "set", far, "netns", host.#name);
      ip("addr", "add", `${host.address}/30`, "dev", host.#cable);
      const its = host.address.replace(/1$/, "2");
      const there = ["-n", host.#name];
      ip(...there, "addr", "add", `${its}/30`, "dev", far);
      ip(...there, "link", "set", far, "up");
      ip(...there, "link", "set", "lo", "up");
      ip("link", "set", host.#cable, "up");
      return host;
    } catch (error) {
      host.end();
      throw error;
    }
  }

  /** A command that runs there. */
  wrap(command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.#name, ...command];
  }

  /** Pulls the cable: what is sent is lost, and nobody is told. */
  cut(): void {
    ip("link", "set", this.#cable, "down");
  }

  /** Plugs the cable in again. */
  join(): void {
    ip("link", "set", this.#cable, "up");
  }

  /** Removes it; the cable goes with it. */
  end(): void {
    ip("netns", "delete", this.#name);
  }
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}
