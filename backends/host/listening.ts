/** What the kernel's list of sockets calls one that listens (`__SO_ACCEPTCON`). */
const LISTENING = 0x10000;

/**
 * The abstract addresses that somebody listens at.
 *
 * @param list The kernel's list of sockets, `/proc/net/unix`: lines such as
 * `…: 00000002 00000000 00010000 0001 01 4711 @locking:report`.
 * @returns The addresses, each with its leading NUL.
 */
export function listeningAddresses(list: string): string[] {
  return list.split("\n").flatMap((line) => {
    const [, , , flags = "", , , , path = ""] = line.trim().split(/\s+/);
    const listens = (parseInt(flags, 16) & LISTENING) !== 0;
    return listens && path.startsWith("@") ? [`\0${path.slice(1)}`] : [];
  });
}
