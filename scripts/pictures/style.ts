/** How the pictures look, in light and in dark. */
export const style = `
text { font: 14px ui-sans-serif, system-ui, sans-serif; fill: #222; }
.ground, .actor { fill: #fff; }
.title { font-size: 18px; font-weight: 600; }
.part { font-size: 16px; font-weight: 600; }
.name { font-weight: 600; }
.weak { fill: #666; }
.says { font: 13px ui-monospace, monospace; }
.life { stroke: #aaa; stroke-dasharray: 3 4; }
.actor { stroke: #888; }
.rule { stroke: #ccc; }
.pause { stroke: #888; stroke-dasharray: 1 4; }
.arrow { stroke: #222; stroke-width: 1.3; fill: none; }
.note { fill: #f4f1e4; stroke: #d8d0b0; }
.by-a { fill: #4477aa; }
.by-b { fill: #cc6677; }
.waits { fill: #fff; stroke: #777; stroke-dasharray: 3 2; }
.kill { stroke: #d00000; stroke-width: 3; fill: none; }
text.killed { fill: #d00000; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e6e6; }
  .ground, .actor { fill: #16181c; }
  .weak { fill: #a6a6a6; }
  .life { stroke: #666; }
  .rule { stroke: #3a3d44; }
  .arrow { stroke: #e6e6e6; }
  .note { fill: #2b2818; stroke: #57502f; }
  .by-a { fill: #5b93cc; }
  .waits { fill: #16181c; stroke: #999; }
  .kill { stroke: #ff5a52; }
  text.killed { fill: #ff7a73; }
}
`;
