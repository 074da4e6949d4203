/**
 * Names with the addresses and file names that DESIGN's "Stored formats" gives
 * them, worked out by another program (Python's own codecs and hashlib), so
 * that no fault of ours can be in both.
 */

/** One name and what it is stored as. */
export interface GoldenVector {
  /** The lock's name. */
  name: string;
  /** SocketLock's address, its leading NUL included. */
  address: string;
  /** FileLock's file name. */
  fileName: string;
}

/** The vectors. */
export const GOLDEN_VECTORS: readonly GoldenVector[] = [
  {
    name: "report",
    address: "\0locking:report",
    fileName: "report",
  },
  {
    name: "job:2024/06@host-1._x",
    address: "\0locking:job:2024/06@host-1._x",
    fileName: "job:2024%2F06@host-1._x",
  },
  {
    name: "a/b",
    address: "\0locking:a/b",
    fileName: "a%2Fb",
  },
  {
    name: "a_b",
    address: "\0locking:a_b",
    fileName: "a_b",
  },
  {
    name: "a%2Fb",
    address: "\0locking:a%252Fb",
    fileName: "a%252Fb",
  },
  {
    name: ".",
    address: "\0locking:.",
    fileName: "%2E",
  },
  {
    name: "..",
    address: "\0locking:..",
    fileName: "%2E%2E",
  },
  {
    name: "...",
    address: "\0locking:...",
    fileName: "...",
  },
  {
    name: "../etc/passwd",
    address: "\0locking:../etc/passwd",
    fileName: "..%2Fetc%2Fpasswd",
  },
  {
    name: "/",
    address: "\0locking:/",
    fileName: "%2F",
  },
  {
    name: "a b",
    address: "\0locking:a%20b",
    fileName: "a%20b",
  },
  {
    name: "%",
    address: "\0locking:%25",
    fileName: "%25",
  },
  {
    name: "%41",
    address: "\0locking:%2541",
    fileName: "%2541",
  },
  {
    name: "#",
    address: "\0locking:%23",
    fileName: "%23",
  },
  {
    name: "~",
    address: "\0locking:%7E",
    fileName: "%7E",
  },
  {
    name: "\u0000",
    address: "\0locking:%00",
    fileName: "%00",
  },
  {
    name: "a\u0000b",
    address: "\0locking:a%00b",
    fileName: "a%00b",
  },
  {
    name: "tab\tnewline\n",
    address: "\0locking:tab%09newline%0A",
    fileName: "tab%09newline%0A",
  },
  {
    name: "h\u00e9",
    address: "\0locking:h%C3%A9",
    fileName: "h%C3%A9",
  },
  {
    name: "he\u0301",
    address: "\0locking:he%CC%81",
    fileName: "he%CC%81",
  },
  {
    name: "\u65e5\u672c",
    address: "\0locking:%E6%97%A5%E6%9C%AC",
    fileName: "%E6%97%A5%E6%9C%AC",
  },
  {
    name: "\ud83d\udd12",
    address: "\0locking:%F0%9F%94%92",
    fileName: "%F0%9F%94%92",
  },
  {
    name: "\ud800",
    address: "\0locking:%ED%A0%80",
    fileName: "%ED%A0%80",
  },
  {
    name: "\udfff",
    address: "\0locking:%ED%BF%BF",
    fileName: "%ED%BF%BF",
  },
  {
    name: "\udc00\ud800",
    address: "\0locking:%ED%B0%80%ED%A0%80",
    fileName: "%ED%B0%80%ED%A0%80",
  },
  {
    name: "x\ud83dy",
    address: "\0locking:x%ED%A0%BDy",
    fileName: "x%ED%A0%BDy",
  },
  {
    name: "\ufffd",
    address: "\0locking:%EF%BF%BD",
    fileName: "%EF%BF%BD",
  },
  {
    name: "Report",
    address: "\0locking:Report",
    fileName: "Report",
  },
  {
    name: "a".repeat(91),
    address:
      "\0locking:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    fileName:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  },
  {
    name: "a".repeat(92),
    address:
      "\0locking#bb882439013bfb093c58bbe94a21da6a04a510da9a6c9697bb4ae8dd67418a2b",
    fileName:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  },
  {
    name: "a".repeat(200),
    address:
      "\0locking#c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5",
    fileName:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  },
  {
    name: "a".repeat(201),
    address:
      "\0locking#a92efd82109373e58f9a2056dee01e807e216ce6075f7051207c0a9f7d666e50",
    fileName:
      "#a92efd82109373e58f9a2056dee01e807e216ce6075f7051207c0a9f7d666e50",
  },
  {
    name: "a".repeat(1000),
    address:
      "\0locking#41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
    fileName:
      "#41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
  },
  {
    name: "\u00e9".repeat(15) + "a",
    address:
      "\0locking:%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9a",
    fileName:
      "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9a",
  },
  {
    name: "\u00e9".repeat(15) + "ab",
    address:
      "\0locking#5d7199212295a51ac0507a3b8d001b146f3ec586801abc917939d16310e3c3d6",
    fileName:
      "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9ab",
  },
  {
    name: "\u00e9".repeat(33) + "ab",
    address:
      "\0locking#55c911234a5c1e665706eb6d51a433121bc0822d504a01ecb0a590c7be564a10",
    fileName:
      "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9ab",
  },
  {
    name: "\u00e9".repeat(33) + "abc",
    address:
      "\0locking#f3ad11afc322622373fadea3e40b8d28423743033e1b1d8da3cb1cde13590723",
    fileName:
      "#f3ad11afc322622373fadea3e40b8d28423743033e1b1d8da3cb1cde13590723",
  },
  {
    name: "\ud800".repeat(400),
    address:
      "\0locking#f63f42f9bfd7d91b7932714dad73a627ddba04e04cbbf1cd44b8921d416c1ca8",
    fileName:
      "#f63f42f9bfd7d91b7932714dad73a627ddba04e04cbbf1cd44b8921d416c1ca8",
  },
  {
    name: "/".repeat(91),
    address:
      "\0locking:///////////////////////////////////////////////////////////////////////////////////////////",
    fileName:
      "#2ef245ff7862cd5d0a6a57f9a145545dc8a6c99a599cb181b432a48c929abe93",
  },
  {
    name: "/".repeat(67),
    address:
      "\0locking:///////////////////////////////////////////////////////////////////",
    fileName:
      "#3eb1349aab9dc074e2028d6801ffe27e5de46b30e87a4e66e5fbb0b764f514e1",
  },
];
