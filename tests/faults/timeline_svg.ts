/** How a timeline looks, in light and in dark. */
export const timelineStyle = `
svg { --ground: #fff; --text: #222; --weak: #777; --rule: #ddd; --band: #fbf3e0;
  --fault: #b26a00; --pause: #999; --bad: #d00000; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #16181c; --text: #e6e6e6; --weak: #9a9a9a; --rule: #33363c;
    --band: #2b2517; --fault: #e0a040; --pause: #777; --bad: #ff5a52; }
}
text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: var(--text); }
.ground { fill: var(--ground); }
.head { font-size: 14px; font-weight: 600; }
.name { font-weight: 600; }
.weak { fill: var(--weak); }
.small { font-size: 9px; }
.rule { stroke: var(--rule); }
.wait { stroke: var(--weak); stroke-width: 1.5; }
.refused { stroke-dasharray: 2 2; }
.hold { stroke: none; }
.free { stroke: var(--weak); stroke-width: 3; }
.write { stroke: var(--ground); stroke-width: 1.5; }
.lost { fill: var(--ground); stroke: var(--text); stroke-width: 1.5; }
.kill { stroke: var(--text); stroke-width: 1.5; }
.fault { fill: var(--band); stroke: var(--fault); stroke-width: 0.5; }
.recovery { fill: var(--band); fill-opacity: 0.5; stroke: none; }
.fault-name { fill: var(--fault); font-size: 9px; }
.pause { fill: var(--pause); fill-opacity: 0.3; }
.bad { stroke: var(--bad); stroke-width: 2; }
text.bad { fill: var(--bad); stroke: none; }
.mark { fill: none; stroke: var(--bad); stroke-width: 2; }
.line { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 3 3; }
`;

/** What a runtime's tenures are filled with; told apart by the colour-blind. */
const COLOURS: readonly (readonly [string, string])[] = [
  ["deno", "#4477aa"],
  ["bun", "#cc6677"],
  ["node22", "#8fbf5f"],
  ["node24", "#228833"],
  ["node26", "#44aa99"],
];

/**
 * Tells a runtime's colour.
 *
 * @param runtime Such as `deno`.
 * @returns A colour that can be seen on white and on black.
 */
export function runtimeColour(runtime: string): string {
  return COLOURS.find(([name]) => runtime.startsWith(name))?.[1] ?? "#aa77aa";
}

/** An element's attributes; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/**
 * Writes an element.
 *
 * @param name The element's name, and its classes after points.
 * @param attributes Its attributes.
 * @param inside What is in it, as it is.
 * @returns The element.
 */
export function element(
  name: string,
  attributes: Attributes,
  ...inside: readonly string[]
): string {
  const [tag, ...classes] = name.split(".");
  const all = { class: classes.join(" ") || undefined, ...attributes };
  const text = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(print(value!))}"`).join("");
  return `<${tag}${text}>${inside.join("")}</${tag}>`;
}

/** What an SVG file is made of, but for its elements. */
export interface Svg {
  /** What it shows. */
  readonly title: string;
  /** Its style sheet; `.ground` is what lies under everything. */
  readonly style: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Writes an SVG file.
 *
 * @param svg What it is made of.
 * @param elements Its elements, from the back to the front.
 * @returns The file's text, without scripts.
 */
export function svgFile(
  { title, style, width, height }: Svg,
  ...elements: readonly string[]
): string {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
    },
    tooltip(title),
    element("style", {}, style),
    element("rect.ground", { width, height }),
    ...elements,
  ).replaceAll("><", ">\n<") + "\n";
}

/**
 * Writes a tooltip.
 *
 * @param text What it says.
 * @returns The element.
 */
export function tooltip(text: string): string {
  return element("title", {}, escapeText(text));
}

/**
 * Escapes a text.
 *
 * @param text Any text.
 * @returns The text, as it stands in an element or an attribute.
 */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
    // XML has no way to write these, nor half a pair.
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed();
}

function print(value: string | number): string {
  return typeof value === "number" ? String(+value.toFixed(2)) : value;
}
