/** The style sheet of reports: one column, one accent, light and dark, telephone and paper. */
import { themeStyle } from './figures/theme.ts';

const layout = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--icl-paper);color:var(--icl-ink);font:1.0625rem/1.6 Charter,'Bitstream Charter','Iowan Old Style',Georgia,'DejaVu Serif',serif}
main{max-width:46.5rem;margin:0 auto;padding:3.5rem 1.25rem 5rem}
h1,h2,h3{line-height:1.25;font-weight:600;text-wrap:balance}
h1{font-size:2rem;margin:0 0 .5rem}
h2{font-size:1.35rem;margin:3.5rem 0 1rem}
h3{font-size:1.1rem;margin:0 0 .75rem}
p{margin:0 0 1rem;text-wrap:pretty}
a{color:var(--icl-blue);text-underline-offset:.15em;text-decoration-thickness:1px}
.kicker,.by,figcaption,.how,table,details,footer{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;line-height:1.5}
.kicker{font-size:.8rem;letter-spacing:.02em;color:var(--icl-blue);font-weight:600;margin:0 0 .75rem}
.by{font-size:.9rem;color:var(--icl-muted);margin:0 0 2rem}
.lead{font-size:1.15rem}
figure{margin:0 0 3.25rem}
figure svg{margin:0 0 .75rem}
figure .narrow{display:none}
figcaption{font-size:.875rem;margin:0 0 .35rem;text-wrap:pretty}
.how{font-size:.8rem;color:var(--icl-muted);margin:0 0 .35rem}
code,pre{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.92em}
.how code{overflow-wrap:anywhere;color:var(--icl-ink)}
.why{margin:.2rem 0 0;color:var(--icl-muted)}
.word{white-space:nowrap}
.scroll{overflow-x:auto;margin:0 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.82rem;font-variant-numeric:tabular-nums lining-nums}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--icl-grid)}
th{font-weight:600;color:var(--icl-muted);border-bottom-color:var(--icl-muted);white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap}
.flag{color:var(--icl-vermilion);font-weight:600}
details{font-size:.85rem;margin:0 0 .5rem}
summary{cursor:pointer;color:var(--icl-muted);padding:.15rem 0}
summary:hover{color:var(--icl-ink)}
:focus-visible{outline:2px solid var(--icl-blue);outline-offset:2px;border-radius:2px}
pre{overflow:auto;max-height:26rem;padding:.9rem 1rem;margin:.5rem 0 1rem;border:1px solid var(--icl-grid);border-radius:4px;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--icl-grid);font-size:.8rem;color:var(--icl-muted)}
@media screen and (max-width:40rem){
main{padding:2rem 1rem 3rem}
h1{font-size:1.6rem}
figure .wide{display:none}
figure .narrow{display:block;margin-left:auto;margin-right:auto}
.stack thead{display:none}
.stack tr{display:grid;grid-template-columns:repeat(4,1fr);gap:.1rem .5rem;padding:.7rem 0;border-bottom:1px solid var(--icl-grid)}
.stack td{display:block;border:0;padding:0;text-align:left}
.stack td:first-child,.stack td:last-child{grid-column:1/-1}
.stack td.n::before{content:attr(data-label);display:block;color:var(--icl-muted);font-size:.72rem}
}
@media print{
@page{size:A4;margin:18mm 16mm}
body{font-size:10.5pt}
main{max-width:none;padding:0}
h2{margin-top:9mm}
h1,h2,h3{break-after:avoid}
figure,tr{break-inside:avoid}
figure{margin-bottom:8mm}
thead{display:table-header-group}
details:not([open]),.screen{display:none}
figure .wide svg{max-width:150mm}
section>p{break-after:avoid}
a{color:inherit;text-decoration:none}
}`;

export const reportStyle = `${themeStyle}${layout}`.replaceAll('\n', '');
