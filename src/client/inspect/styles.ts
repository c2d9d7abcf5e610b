/** The styles of the inspector, in its shadow. A page sets its colours by these variables, from outside: `--inspector-accent` and so on. */
export const STYLES = `
:host {
  --paper: var(--inspector-paper, light-dark(#f3f6f4, #0f1413));
  --surface: var(--inspector-surface, light-dark(#ffffff, #171e1c));
  --ink: var(--inspector-ink, light-dark(#15201c, #e5ece9));
  --soft: var(--inspector-soft, light-dark(#50605a, #9dada7));
  --line: var(--inspector-line, light-dark(#d8e0dc, #2a3531));
  --accent: var(--inspector-accent, light-dark(#0c5f54, #74d6c2));
  --pale: light-dark(#c8dcd6, #2b4a43);
  --tool: light-dark(#a35f00, #f3b75f);
  --person: light-dark(#5c53a8, #a9a0ee);
  --bad: light-dark(#ab2f27, #ff958b);
  --bad-pale: light-dark(#f6dcd9, #46211f);
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  display: block;
  container: inspector / inline-size;
  color: var(--ink);
  background: var(--paper);
  font-size: 0.875rem;
  line-height: 1.45;
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, dl, dd, ol, ul, table, blockquote { margin: 0; padding: 0; }
button, input, select { font: inherit; color: inherit; }
button, .button, select {
  border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.2rem 0.6rem; background: var(--surface); cursor: pointer;
}
button:hover, .button:hover { border-color: var(--accent); color: var(--accent); }
:focus-visible, .button:focus-within { outline: 2px solid var(--accent); outline-offset: 1px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.inspector { display: grid; gap: 0.75rem; padding: 1rem; grid-template-columns: minmax(0, 1fr); }
.content { display: grid; gap: 0.75rem; grid-template-columns: minmax(0, 1fr); }
.actions { display: flex; flex-wrap: wrap; gap: 0.4rem; justify-content: flex-end; }
.status:empty, .note:empty { display: none; }
.note { color: var(--soft); font-size: 0.8125rem; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 0.6rem; padding: 0.75rem; min-width: 0; }
h2 { font-size: 1.05rem; overflow-wrap: anywhere; }
h3 { font-size: 0.8125rem; color: var(--soft); font-weight: 600; margin-bottom: 0.4rem; }
.summary { display: flex; flex-wrap: wrap; gap: 0.15rem 1.25rem; margin-top: 0.25rem; }
.summary div { display: flex; gap: 0.35rem; }
dt { color: var(--soft); }
dd { font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.chain { margin-top: 0.4rem; }
.chain ol { display: flex; flex-wrap: wrap; gap: 0.3rem 1.25rem; margin-top: 0.2rem; }
.chain li { display: flex; flex-wrap: wrap; gap: 0.1rem 0.5rem; align-items: center; color: var(--soft); overflow-wrap: anywhere; }
.chain [aria-current] { border-color: var(--accent); color: var(--accent); font-weight: 600; }
[data-kind=bad] dd { color: var(--bad); }
[data-kind=notable] dd { color: var(--tool); }
.shares { display: flex; height: 0.5rem; margin-top: 0.6rem; border-radius: 0.25rem; overflow: hidden; gap: 1px; }
.shares i { min-width: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; list-style: none; margin-top: 0.3rem; color: var(--soft); font-size: 0.8125rem; }
.legend li::before { content: ''; display: inline-block; width: 0.6rem; height: 0.6rem; border-radius: 2px; margin-right: 0.35rem; background: var(--share); }
.legend b { color: var(--ink); font-variant-numeric: tabular-nums; }
.shares i { background: var(--share); }
[data-share=dead] { --share: var(--bad); }
[data-share=person] { --share: var(--person); }
[data-share=queue] { --share: light-dark(#8a9a94, #6d7d77); }
[data-share=tools] { --share: var(--tool); }
[data-share=model] { --share: var(--accent); }
[data-share=rest] { --share: var(--pale); }

.waterfall { width: 100%; border-collapse: collapse; table-layout: fixed; }
.waterfall th, .waterfall td { padding: 0; text-align: left; font-weight: 400; height: 1.6rem; }
.waterfall thead th { color: var(--soft); font-size: 0.75rem; }
.waterfall tbody tr { border-top: 1px solid light-dark(#edf1ef, #212a27); }
.waterfall th:first-child { width: 15rem; }
.waterfall .number { width: 5.5rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; color: var(--soft); padding-left: 0.5rem; }
.waterfall .facts { width: 21rem; padding-left: 0.75rem; color: var(--soft); font-size: 0.8125rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.waterfall th button {
  width: 100%; border: 0; background: none; text-align: left; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  padding: 0.1rem 0.3rem 0.1rem calc(0.3rem + var(--depth, 0) * 0.9rem);
}
[data-kind=step] th button { font-weight: 600; }
[data-kind=dead] th button, [data-state=failed] th button { color: var(--bad); }
[data-kind=wait] th button { color: var(--person); }
[data-replaced] th button { text-decoration: line-through; text-decoration-color: var(--bad); }
[data-now] { background: light-dark(#eef4f1, #1b2522); }
td.bar, th.bar { position: relative; overflow: hidden; }
td.bar::after {
  content: ''; position: absolute; top: 0; bottom: 0; left: calc(var(--at, 1) * 100%); width: 1px; margin-left: -1px; background: var(--accent); opacity: 0.55;
}
.tick, .break, .span, .band { position: absolute; }
.tick { top: 0.3rem; white-space: nowrap; overflow: visible; font: 0.6875rem var(--mono); }
.break { top: 0; text-align: center; color: var(--bad); overflow: hidden; }
.band { top: 0; bottom: 0; background: repeating-linear-gradient(-45deg, var(--bad-pale) 0 5px, transparent 5px 10px); }
.span { top: 0.4rem; bottom: 0.4rem; min-width: 3px; border-radius: 2px; background: var(--pale); }
[data-kind=step] .span { top: 0.55rem; bottom: 0.55rem; }
[data-kind=model-call] .span { background: var(--pale); }
[data-kind=model-call] .answering, [data-kind=text] .span { background: var(--accent); }
[data-kind=reasoning] .span { background: light-dark(#7ea79d, #4d8074); }
[data-kind=tool] .span { background: var(--tool); }
[data-kind=wait] .span { background: var(--person); }
[data-kind=queue] .span { background: light-dark(#8a9a94, #6d7d77); }
[data-kind=dead] .span { background: var(--bad); }
[data-state=failed] .span { background: var(--bad); }
[data-state=failed] .answering { opacity: 0.6; }
[data-state=cut] .span { border-right: 2px solid var(--bad); border-radius: 2px 0 0 2px; }
[data-replaced] .span { opacity: 0.55; }
[data-state=open] .span { border-radius: 2px 0 0 2px; }
.scale { display: block; margin-top: 0.4rem; color: var(--soft); font-size: 0.8125rem; }

.player { display: grid; grid-template-columns: auto minmax(0, 1fr) auto auto; gap: 0.3rem 0.75rem; align-items: center; position: sticky; top: 0.5rem; z-index: 2; }
.player input { width: 100%; accent-color: var(--accent); }
.player .note { grid-column: 1 / -1; }
.play { min-width: 6rem; }
.place { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; min-width: 13rem; text-align: right; }
.pair { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0.75rem; }
.find { display: flex; gap: 0.75rem; align-items: center; margin-bottom: 0.4rem; }
.find input { flex: 1; min-width: 0; padding: 0.25rem 0.5rem; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--paper); }
.events { height: 18rem; overflow-y: auto; contain: strict; scrollbar-width: thin; border-radius: 0.3rem; }
.rows { position: relative; }
.event { position: absolute; left: 0; right: 0; height: 24px; padding: 0 0.3rem; font: 0.75rem/24px var(--mono); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; cursor: pointer; }
.event[data-later] { color: var(--soft); font-style: italic; }
.event[aria-selected=true] { background: light-dark(#dfece7, #1d3a33); }
.seq { display: inline-block; min-width: 3rem; color: var(--soft); text-align: right; padding-right: 0.6rem; }
.at { display: inline-block; min-width: 5rem; color: var(--soft); }
.detail { margin: 0.5rem 0 0; max-height: 10rem; overflow: auto; font: 0.75rem/1.4 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; background: var(--paper); border-radius: 0.3rem; padding: 0.5rem; }
.detail:empty { display: none; }
.answer { max-height: 28rem; overflow: auto; overflow-wrap: anywhere; }
.answer p { white-space: pre-wrap; margin-bottom: 0.5rem; }
.answer [data-part=tool] { color: var(--tool); }
.answer [data-part=reasoning], .answer [data-part=custom] { color: var(--soft); }
.scrolls { overflow-x: auto; }
.calls { border-collapse: collapse; width: 100%; }
.calls th, .calls td { text-align: right; padding: 0.2rem 0.6rem; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; white-space: nowrap; }
.calls th { color: var(--soft); font-weight: 400; border: 0; }
.calls th:first-child, .calls td:first-child { text-align: left; }
.calls [data-state=failed] td { color: var(--bad); }
ol { list-style: none; display: grid; gap: 0.6rem; }
blockquote { margin-top: 0.3rem; padding-left: 0.6rem; border-left: 2px solid var(--bad); color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12rem; overflow: auto; }

/* Columns without a width are still read by screen readers. */
@container inspector (max-width: 60rem) {
  .waterfall .facts { width: 0; padding: 0; }
  .waterfall th:first-child { width: 13rem; }
}
@container inspector (max-width: 42rem) {
  .pair { grid-template-columns: minmax(0, 1fr); }
  .waterfall .number.began { width: 0; padding: 0; overflow: hidden; }
  .waterfall th:first-child { width: 9.5rem; }
  .player { grid-template-columns: auto minmax(0, 1fr); }
  .place { text-align: left; min-width: 0; white-space: normal; }
  .tick:not(:first-child) { display: none; }
  .waterfall .number { width: 4.5rem; }
}
@media (forced-colors: active) {
  .span, .shares i, .legend li::before { forced-color-adjust: none; }
}
@media print {
  .actions, .player, .find, .scale { display: none; }
  .inspector { padding: 0; }
  .pair { display: block; }
  .answer, blockquote { max-height: none; }
  .log { display: none; }
  .card { border: 0; padding: 0.3rem 0; break-inside: auto; }
  .waterfall tr { break-inside: avoid; }
  .span, .band, .shares i, .legend li::before { print-color-adjust: exact; }
}
`;
