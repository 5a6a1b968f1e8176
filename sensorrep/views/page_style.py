"""How the report's page looks: calm on a screen, whole on a phone, clean on A4."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #222;
  font: 17px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, footer { max-width: 54rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 1.2rem 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; padding-top: .5rem; border-top: 2px solid #ddd; }
p { margin: .4rem 0; }
ul { margin: .3rem 0 .8rem; padding-left: 1.3rem; }
.quiet, figcaption { color: #555; overflow-wrap: anywhere; }
.simulated { background: #D55E00; color: #fff; font-weight: bold; font-size: 1.2rem;
  padding: .4rem .8rem; margin: 1rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #ddd; }
.wide tbody th { white-space: nowrap; }
td.words { min-width: 8rem; }
td.figures { white-space: nowrap; }
thead th { border-bottom: 2px solid #999; vertical-align: bottom; }
figure { margin: 1.2rem 0; }
figure img { display: block; width: 100%; min-width: 32rem; height: auto; }
figcaption { font-size: .9rem; margin-top: .3rem; }
.by-hand th { width: 45%; font-weight: normal; padding: .6rem .7rem .6rem 0; }
footer { margin-top: 2.5rem; padding-top: .8rem; padding-bottom: 2rem; border-top: 2px solid #ddd; }
footer p:first-child { font-weight: bold; }
@page { size: A4; margin: 14mm 15mm 16mm;
  @bottom-left { content: "Not a medical device. Stop if pain is sharp or new."; font: 8pt sans-serif; color: #555; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; } }
@media print {
  body { font-size: 10.5pt; line-height: 1.4; }
  main, footer { max-width: none; padding: 0; }
  h1 { font-size: 18pt; margin-top: 0; }
  h2 { font-size: 13pt; margin-top: 14pt; break-after: avoid; }
  table { font-size: 9.5pt; }
  thead { display: table-header-group; }
  tr, figure, table:not(.long), li, p { break-inside: avoid; }
  .wide { overflow: visible; }
  figure { margin: 8pt 0; }
  figure img { min-width: 0; max-height: 235mm; width: auto; max-width: 100%; }
  .first figure img { max-height: var(--tall); }
  .first + section { break-before: page; }
  .simulated { border: 2pt solid #D55E00; background: none; color: #a04000; }
}
"""
