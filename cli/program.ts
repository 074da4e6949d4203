import {
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
} from "commander";
import { commandLine } from "../runtime/command_line/mod.ts";
import { parseDuration } from "./durations.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { RunOptions, ShowOptions, TakeOptions } from "./options.ts";
import { run } from "./run.ts";
import { report } from "./say.ts";
import { status } from "./status.ts";
import { VERSION } from "./version.ts";
import { wait } from "./wait.ts";

/**
 * Parses the arguments and does what they say.
 *
 * @param own The arguments of `locking` itself.
 * @param command The command to run, or null.
 * @returns The exit code.
 * @throws {Failure} If it fails, or the arguments make no sense.
 */
export async function parse(
  own: readonly string[],
  command: readonly string[] | null,
): Promise<number> {
  let code: number = EXIT_CODES.ok;
  const finish = (result: number): void => void (code = result);
  const program = createProgram(command, finish);
  try {
    await program.parseAsync(own, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The message has been written.
    return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
}

function createProgram(
  command: readonly string[] | null,
  finish: (code: number) => void,
): Command {
  const program = new Command("locking")
    .description("Mutual exclusion between processes, on one host or many.")
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => commandLine.print(text),
      writeErr: report,
      outputError: (text, write) =>
        write(text.replace(/^error: /, "locking: ")),
    })
    .addHelpText("after", EXAMPLES)
    .configureHelp({
      subcommandTerm: (of) => `${of.name()} ${of.usage()}`,
    });
  addRun(program, command, finish);
  const refuse = (name: string): void => {
    if (command === null) return;
    throw usage(`"${name}" runs no command: there is nothing to put after --`);
  };
  addStatus(program, refuse, finish);
  addList(program, refuse, finish);
  addWait(program, refuse, finish);
  return program;
}

const EXAMPLES = `
Examples:
  $ locking run nightly-report -- ./report.sh
  $ locking run -n --file=/run/lock backup -- tar -cf backup.tar data
  $ locking run -w 5m --redis=redis://web-3 deploy -- ./deploy.sh --all
  $ locking status deploy --redis=redis://web-3
  $ locking list --file=/run/lock --json
  $ locking wait nightly-report && echo "it has ended"

"locking help run" tells all options and exit codes.`;

const RUN_HELP = `
The command is run without a shell. It finds the lock's name in LOCKING_NAME,
and in LOCKING_FENCING_TOKEN the token, where there is one (--redis, --dynamo).

A DURATION has a unit: 500ms, 1.5s, 30s, 5m, 2h, 1d, 1h30m.

Exit codes: the command's own; 128 + n if signal n ended it; 75 if the lock was
not had (see -E); 76 if it was lost; 64 for wrong arguments; 69 if what keeps
the lock cannot be used; 126 or 127 if the command cannot be run or found.

Examples:
  $ locking run -n nightly-report -- ./report.sh   # or not at all
  $ locking run -w 30s -E 0 backup -- ./backup.sh  # it is done by somebody
  $ locking run --redis=redis://a,redis://b,redis://c deploy -- ./deploy.sh
  $ locking run counter -- sh -c 'echo $(($(cat n) + 1)) > n'`;

function addRun(
  program: Command,
  command: readonly string[] | null,
  finish: (code: number) => void,
): void {
  const sub = program.command("run")
    .summary("run a command while holding a lock")
    .description("Runs a command while holding a lock, and ends as it does.")
    .usage("[options] NAME -- COMMAND [ARG…]")
    .argument("<NAME>", "the lock's name")
    .argument("[REST...]")
    .addHelpText("after", RUN_HELP);
  sub.configureHelp({
    visibleArguments: (of) => of.registeredArguments.slice(0, 1),
  });
  addBackend(sub);
  addTaking(sub);
  sub
    .option("--ttl <DURATION>", TTL, toDuration)
    .addOption(
      new Option("--on-lost <WHAT>", "end the command softly, hard or not")
        .choices(["term", "kill", "ignore"]).default("term"),
    )
    .option("--grace <DURATION>", GRACE, toDuration)
    .action(async (name: string, rest: string[], options: RunOptions) => {
      const wanted = checkCommand(rest, command);
      finish(await run(name, wanted, options));
    });
}

const TTL = "how long a lease lives when its holder falls silent " +
  "(--redis, --dynamo; default: 5s)";
const GRACE = "how long the command has to end by itself " +
  "(default: a fifth of the TTL, 5s where there is none)";

function checkCommand(
  rest: readonly string[],
  command: readonly string[] | null,
): readonly string[] {
  if (rest.length > 0) {
    throw usage(
      `unexpected "${rest[0]}" after the name: the command comes after --, ` +
        "as in: locking run NAME -- COMMAND",
    );
  }
  if (command !== null && command.length > 0) return command;
  throw usage("no command: it comes after --, as in: locking run NAME -- ls");
}

function addStatus(
  program: Command,
  refuse: (name: string) => void,
  finish: (code: number) => void,
): void {
  const sub = program.command("status")
    .summary("tell who holds a lock")
    .description("Tells who holds a lock. Exits with 0 if it is held, else 1.")
    .argument("<NAME>", "the lock's name");
  addBackend(sub);
  sub.option("--json", "write JSON")
    .action(async (name: string, options: ShowOptions) => {
      refuse("status");
      finish(await status(name, options));
    });
}

function addList(
  program: Command,
  refuse: (name: string) => void,
  finish: (code: number) => void,
): void {
  const sub = program.command("list")
    .summary("list the locks that are held")
    .description("Lists all locks that are held now, where the options say.");
  addBackend(sub);
  sub.option("--json", "write JSON")
    .action(async (options: ShowOptions) => {
      refuse("list");
      const { list } = await import("./list.ts");
      finish(await list(options));
    });
}

function addWait(
  program: Command,
  refuse: (name: string) => void,
  finish: (code: number) => void,
): void {
  const sub = program.command("wait")
    .summary("wait until a lock is free")
    .description(
      "Waits until a lock is free: takes it in turn, and frees it at once.",
    )
    .argument("<NAME>", "the lock's name");
  addBackend(sub);
  addTaking(sub);
  sub.action(async (name: string, options: TakeOptions) => {
    refuse("wait");
    finish(await wait(name, options));
  });
}

function addBackend(command: Command): void {
  command
    .option("--socket", "on this host, by an abstract unix socket (default)")
    // Its bare form has been given an empty value, see splitArguments.
    .addOption(new Option("--file [DIR]", "on this host, by files in DIR"))
    .option("--redis <URL,…>", "between hosts, by Redis; a majority of several")
    .option("--dynamo <TABLE>", "between hosts, by a table of DynamoDB")
    .option("--region <NAME>", "the table's region")
    .option("--endpoint <URL>", "the table's address")
    .configureHelp({
      ...command.configureHelp(),
      optionTerm: ({ flags }) => flags.replace(" [DIR]", "[=DIR]"),
    });
}

function addTaking(command: Command): void {
  command
    .option("-n, --no-wait", "give up at once if another holds the lock")
    .option("-w, --timeout <DURATION>", "give up after this time", toDuration)
    .addOption(
      new Option("-E, --conflict-exit-code <N>", "the exit code then")
        .argParser(toExitCode).default(EXIT_CODES.conflict),
    )
    .option("-v, --verbose", "say what is going on");
}

function toDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  const given = /^[\d.]+$/.test(text) ? `: ${text}s or ${text}ms?` : ".";
  throw new InvalidArgumentError(
    `A duration needs a unit, such as 500ms, 30s or 5m${given}`,
  );
}

function toExitCode(text: string): number {
  if (/^\d+$/.test(text) && Number(text) < 256) return Number(text);
  throw new InvalidArgumentError("It must be a number from 0 to 255.");
}

function usage(message: string): Failure {
  return new Failure(EXIT_CODES.usage, message);
}
