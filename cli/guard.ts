import { commandLine } from "../runtime/command_line/mod.ts";
import type { Program } from "../runtime/command_line/types.ts";
import { runtime } from "../runtime/mod.ts";
import { findProgram } from "./find_program.ts";
import { say } from "./say.ts";

// Waits for the end of its input, which comes when locking ends, however it
// ends. Then it kills all that bear the mark, again and again, since they may
// be starting others. What a terminal or a service manager sends to the whole
// group is not for it.
const SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2 TSTP
read -r _
tries=0
while [ $tries -lt 100 ]; do
  files=$(grep -lsF -e "$1" /proc/[0-9]*/environ)
  [ -n "$files" ] || exit 0
  for file in $files; do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}"
  done
  tries=$((tries + 1))
done
`;

/**
 * Sees to it that a command does not outlive this process unguarded by the
 * lock. The kernel kills the command itself (`prctl(PR_SET_PDEATHSIG)`, through
 * setpriv(1) of util-linux); a process of its own kills whatever the command
 * has started, and the command where there is no such setpriv.
 *
 * What belongs to the command bears a mark in its environment, since parents
 * may end before their children do (as in Jenkins' ProcessTreeKiller).
 */
export class Guard {
  /** What all processes of the command have in their environment. */
  readonly mark: string = runtime.identity.randomId();
  readonly #program: Program | null;

  /** Starts to watch; do so before the command is started. */
  constructor() {
    const command = ["/bin/sh", "-c", SCRIPT, "locking-guard", this.mark];
    this.#program = start(command);
    this.#program?.ended.catch(complain);
  }

  /**
   * Ties a command to this process.
   *
   * @param command The command.
   * @returns What to run instead.
   */
  tie(command: readonly string[]): readonly string[] {
    const setpriv = findProgram("setpriv");
    const path = setpriv.path && commandLine.files.real(setpriv.path);
    // That of BusyBox does not know the option, nor do those before 2.33.
    const knows = path?.endsWith("/setpriv") &&
      commandLine.files.text(path)?.includes("pdeathsig");
    if (!path || !knows) return command;
    return [path, "--pdeathsig", "KILL", "--", ...command];
  }

  /** Watches no more: the command has ended. */
  dismiss(): void {
    this.#program?.kill("SIGKILL");
  }
}

function start(command: readonly string[]): Program | null {
  const environment = commandLine.environment();
  try {
    return commandLine.start(command, { environment, streams: "watching" });
  } catch (error) {
    complain(error);
    return null;
  }
}

function complain(error: unknown): void {
  const { message } = error as Error;
  say(`${message}: nobody ends what the command starts if this is killed`);
}
