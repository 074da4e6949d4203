import { POLL_MS, SLOW_POLL_MS } from "../../backends/host/periods.ts";
import { lockFileName } from "../../backends/file.ts";
import { isCutOff, sendsAway, visits } from "./of_host.ts";
import { wordOf } from "./of_source.ts";
import {
  holds,
  killed,
  message,
  messages,
  note,
  pause,
  rests,
  type Sequence,
  waits,
} from "./sequence.ts";

const lobby = wordOf("backends/host/file_gate.ts", "\\0locking-file:");
const flock = "flock(LOCK_EX | LOCK_NB)";
const HELD = "EWOULDBLOCK";

const takes = [
  message("b", "keeper", flock, "done"),
  holds("keeper", "b"),
  holds("b", "b"),
];

/** How a FileLock passes from one process to another. */
export const handOverFile: Sequence = {
  title: "FileLock: a lock passes from A to B",
  actors: {
    a: { name: "A", detail: "a process" },
    keeper: {
      name: "the kernel",
      detail: `<directory>/${lockFileName("report")}`,
    },
    b: { name: "B", detail: "a process" },
  },
  parts: [
    {
      title: "A releases the lock",
      steps: [
        message("a", "keeper", flock, "done"),
        holds("keeper", "a"),
        holds("a", "a"),
        message("a", "keeper", `bind ${lobby}…`, "done: the bell"),
        message("b", "keeper", flock, HELD),
        waits("b"),
        visits,
        note(
          "b",
          "What follows is as with SocketLock, but B also tries every " +
            `${SLOW_POLL_MS / 1000} s: the bell only wakes, and may be a ` +
            "stranger's.",
        ),
        message("a", "keeper", "close", "done"),
        rests("keeper"),
        rests("a"),
        messages(sendsAway),
        ...takes,
      ],
    },
    {
      title: "A is killed",
      steps: [
        holds("keeper", "a"),
        holds("a", "a"),
        waits("b"),
        killed("a"),
        rests("keeper"),
        note(
          "keeper",
          "The kernel closes A's file and bell. What A wrote stays in the " +
            "file until B writes its own.",
        ),
        messages(isCutOff),
        ...takes,
      ],
    },
    {
      title: "A cannot ring: it is flock(1), say",
      steps: [
        holds("keeper", "a"),
        holds("a", "a"),
        message("b", "keeper", flock, HELD),
        waits("b"),
        pause(`up to ${POLL_MS} ms`),
        message("b", "keeper", flock, HELD),
        message("a", "keeper", "ends, or is killed"),
        rests("keeper"),
        rests("a"),
        pause(`up to ${POLL_MS} ms`),
        ...takes,
      ],
    },
  ],
};
