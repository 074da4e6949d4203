/**
 * What Linux's `/proc` tells of processes; elsewhere nothing.
 *
 * @module
 */
import { commandLine } from "../runtime/command_line/mod.ts";

const { files } = commandLine;

/**
 * The processes in whose environment a mark stands: those that were started
 * with it, and theirs, wherever they have been reparented to.
 *
 * @param mark The mark.
 * @returns Their ids.
 */
export function markedProcesses(mark: string): number[] {
  return pids().filter((pid) =>
    files.text(`/proc/${pid}/environ`)?.includes(mark)
  );
}

function pids(): number[] {
  try {
    return files.names("/proc").filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * Whether a key of the terminal has just signalled a process together with this
 * one: both are in the terminal's foreground.
 *
 * @param pid The process.
 * @returns Whether they are.
 */
export function sharesForeground(pid: number): boolean {
  const own = readStat("self");
  if (own === null || own.terminal === 0) return false;
  return own.group === own.foreground && readStat(pid)?.group === own.group;
}

interface Stat {
  readonly group: number;
  readonly terminal: number;
  readonly foreground: number;
}

// The command's name, in parentheses, may have anything in it; see proc(5).
function readStat(pid: number | "self"): Stat | null {
  const text = files.text(`/proc/${pid}/stat`);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  const [, , group = 0, , terminal = 0, foreground = 0] = fields;
  return { group, terminal, foreground };
}
