import {
  DEFERENCE_MS,
  NEXT,
  OVERTAKING_MS,
} from "../../backends/host/periods.ts";
import { socketAddress } from "../../backends/socket.ts";
import { isCutOff, sendsAway, visits } from "./of_host.ts";
import {
  holds,
  killed,
  message,
  messages,
  note,
  rests,
  type Sequence,
  waits,
} from "./sequence.ts";
import { constantOf } from "./of_source.ts";

const address = socketAddress("report").replace("\0", "\\0");
const tries = constantOf("backends/host/host_backend.ts", "TRIES_OF_THE_FIRST");

const begin = [
  message("a", "keeper", "bind", "done"),
  holds("keeper", "a"),
  holds("a", "a"),
  message("b", "keeper", "bind", "EADDRINUSE"),
  waits("b"),
  visits,
  note(
    "b",
    `For ${OVERTAKING_MS} ms newcomers may overtake. Then B looks once for ` +
      "itself, and connects again; from there on no timer runs for it.",
  ),
];

/** How a SocketLock passes from one process to another. */
export const handOverSocket: Sequence = {
  title: "SocketLock: a lock passes from A to B",
  actors: {
    a: { name: "A", detail: "a process" },
    keeper: { name: "the kernel", detail: address },
    b: { name: "B", detail: "a process" },
  },
  parts: [
    {
      title: "A releases the lock",
      steps: [
        ...begin,
        message("a", "keeper", "close", "done"),
        rests("keeper"),
        rests("a"),
        messages(sendsAway),
        message("b", "keeper", "bind", "done"),
        holds("keeper", "b"),
        holds("b", "b"),
        note(
          "b",
          `Of any others, ${NEXT} come to B after ${DEFERENCE_MS} ms, the rest ` +
            "later, each with the time that it has waited.",
        ),
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
        note("keeper", "The kernel closes A's sockets."),
        messages(isCutOff),
        message("b", "keeper", "bind", "done"),
        holds("keeper", "b"),
        holds("b", "b"),
        note(
          "b",
          `B tries up to ${tries} times: its connection may end some ` +
            "microseconds before the address is free.",
        ),
      ],
    },
  ],
};
