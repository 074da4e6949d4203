/**
 * Tells a TypeScript source's code from its comments and its strings.
 *
 * @module
 */

/** A source, with the same lines and columns, in two views. */
export interface SourceViews {
  /** Comments are blanked. */
  readonly withoutComments: string;
  /** Comments and what is inside strings and regular expressions, too. */
  readonly codeOnly: string;
}

type Kind = "code" | "comment" | "literal";

/** What may stand at some place of a source; the first that matches is it. */
const tokens: readonly (readonly [Kind, RegExp])[] = [
  ["comment", /\/\/[^\n]*/y],
  ["comment", /\/\*[^]*?(?:\*\/|$)/y],
  ["literal", /"(?:\\[^]|[^"\\\n])*"?/y],
  ["literal", /'(?:\\[^]|[^'\\\n])*'?/y],
  ["code", /[\w$]+|\s+|[^]/y],
];

const regularExpression =
  /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;

/** A part of a template literal, up to its end or to a `${`. */
const templatePart = /(?:\\[^]|(?!\$\{)[^`\\])*(?:`|\$\{|$)/y;

/** After these, a slash begins a regular expression; else it divides. */
const beforeExpression =
  /(?:^|[([{,;=:?!&|^~<>+\-*%]|\b(?:return|typeof|case|in|of|do|else|void|await|yield|throw|new|delete))\s*$/;

/**
 * Blanks a source's comments, and, in a second view, its strings.
 *
 * @param source The source.
 * @returns Both views.
 */
export function viewSource(source: string): SourceViews {
  return new Scanner(source).views();
}

class Scanner {
  readonly #source: string;
  #at = 0;
  #withoutComments = "";
  #codeOnly = "";
  /** How many braces are open inside each `${` that is open. */
  readonly #templates: number[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  views(): SourceViews {
    while (this.#at < this.#source.length) this.#next();
    return {
      withoutComments: this.#withoutComments,
      codeOnly: this.#codeOnly,
    };
  }

  #next(): void {
    if (beforeExpression.test(this.#codeOnly.slice(-30))) {
      const literal = this.#match(regularExpression);
      if (literal) return this.#add("literal", literal);
    }
    for (const [kind, pattern] of tokens) {
      const text = this.#match(pattern);
      if (text) return this.#add(kind, text);
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0] ?? "";
  }

  #add(kind: Kind, text: string): void {
    this.#at += text.length;
    this.#withoutComments += kind === "comment" ? blank(text) : text;
    this.#codeOnly += kind === "code" ? text : hollow(kind, text);
    if (kind === "code") this.#followTemplates(text);
  }

  #followTemplates(text: string): void {
    const depth = this.#templates.at(-1);
    if (text === "`") return this.#template();
    if (depth === undefined || !/^[{}]$/.test(text)) return;
    this.#templates.pop();
    if (text === "}" && depth === 0) return this.#template();
    this.#templates.push(depth + (text === "{" ? 1 : -1));
  }

  #template(): void {
    const part = this.#match(templatePart);
    const opens = part.endsWith("${");
    this.#at += part.length;
    this.#withoutComments += part;
    this.#codeOnly += opens ? `${blank(part.slice(2))}\${` : blank(part);
    if (opens) this.#templates.push(0);
  }
}

/** Blanks a comment; of a literal, only what its quotes enclose. */
function hollow(kind: Kind, text: string): string {
  if (kind === "comment" || text.length < 2) return blank(text);
  return `"${blank(text.slice(2))}"`;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
