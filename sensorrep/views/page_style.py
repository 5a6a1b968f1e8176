"""How the report's page looks: calm on a screen, whole on a phone, packed on A4.

Always dark on white, like the figures in it: a browser that darkened the rest would leave them glaring.
"""

from typing import Final

STYLE: Final = """
:root { color-scheme: only light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #222;
  font: 17px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, footer { max-width: 54rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 1.2rem 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; padding-top: .5rem; border-top: 2px solid #ddd; }
p { margin: .4rem 0; }
ul { margin: .3rem 0 .8rem; padding-left: 1.3rem; }
.quiet, figcaption { color: #555; overflow-wrap: anywhere; }
.simulated { background: #A84300; color: #fff; font-weight: bold; font-size: 1.2rem;
  padding: .4rem .8rem; margin: 1rem 0; }
:focus-visible { outline: 3px solid #0072B2; outline-offset: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #ddd; }
.wide tbody th { white-space: nowrap; }
td.words { min-width: 8rem; }
td.figures { white-space: nowrap; }
thead th { border-bottom: 2px solid #999; vertical-align: bottom; }
figure { margin: 1.2rem 0; }
figure img { display: block; width: 100%; min-width: 34rem; height: auto; }
figcaption { font-size: .9rem; margin-top: .3rem; }
.by-hand th { width: 45%; font-weight: normal; padding: .6rem .7rem .6rem 0; }
footer { margin-top: 2.5rem; padding-top: .8rem; padding-bottom: 2rem; border-top: 2px solid #ddd; }
footer p:first-child { font-weight: bold; }
@media screen {
  /* A table that goes on at its right throws a shadow there, and its first column stays. */
  .broad { background:
    linear-gradient(to left, #fff 40%, #fff0) right / 3rem 100% no-repeat local,
    linear-gradient(to left, #0005, #0000) right / 1rem 100% no-repeat scroll; }
  .broad th:first-child { position: sticky; left: 0; background: #fff; }
}
@media screen and (max-width: 48rem) {
  .broad::before { content: "\\2194  slide sideways for the rest"; position: sticky; left: 0; color: #555; }
}
@media screen and (max-width: 36rem) {
  figure .wide::before { content: "\\2194  slide sideways for the rest"; position: sticky; left: 0; color: #555; }
}
@page { size: A4; margin: 12mm 15mm 14mm;
  @bottom-left { content: "Not a medical device. Stop if pain is sharp or new."; font: 8pt sans-serif; color: #555; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; } }
@media print {
  body { font-size: 10pt; line-height: 1.35; }
  main, footer { max-width: none; padding: 0; }
  h1 { font-size: 18pt; margin-top: 0; }
  h2 { font-size: 12.5pt; margin: 10pt 0 3pt; padding-top: 4pt; break-after: avoid; }
  p { margin: 2pt 0; }
  ul { margin: 2pt 0; }
  table { font-size: 9pt; }
  th, td { padding: 2pt 6pt 2pt 0; }
  thead { display: table-header-group; }
  tr, figure, table:not(.long), li, p, section:not(:has(figure, .long)) { break-inside: avoid; }
  .long tbody tr:is(:nth-child(-n+3), :nth-last-child(-n+3)) { break-before: avoid; }
  .wide { overflow: visible; }
  section:not(.first) > .wide + figure { break-before: avoid; }
  figure { margin: 6pt 0; }
  figure img { min-width: 0; max-height: 235mm; width: auto; max-width: 100%; }
  figcaption { font-size: 8.5pt; margin-top: 1pt; }
  .first figure img { max-height: var(--tall); }
  .first + section { break-before: page; }
  .two { columns: 2; column-gap: 8mm; font-size: 9pt; }
  .by-hand th { padding: 5pt 6pt 5pt 0; }
  footer { margin-top: 8pt; padding: 4pt 0 0; font-size: 9pt; break-inside: avoid; }
  .simulated { border: 2pt solid #A84300; background: none; color: #A84300; }
}
"""
