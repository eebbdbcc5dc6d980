#pragma once

#include <string_view>

namespace caisson::conformance {

/// The looks of the report page, light and dark; nothing is fetched from anywhere.
inline constexpr std::string_view report_style = R"css(
:root{--ink:#1b2330;--quiet:#5b6676;--paper:#fff;--card:#f6f7f9;--line:#dde1e7;--accent:#1f5fbf;
--pass:#11703c;--pass-bg:#e3f4ea;--leak:#b3161b;--leak-bg:#fde5e5;--open:#8a5a00;--open-bg:#fdf1d8;
--invalid:#75309b;--invalid-bg:#f3e6fa;--own:#245a86;--own-bg:#e6f0f9}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--quiet:#9aa5b4;--paper:#12161c;--card:#1a2028;--line:#2c3541;
--accent:#7fb0ff;--pass:#7fd8a2;--pass-bg:#12301f;--leak:#ff9a97;--leak-bg:#451316;--open:#f3c66b;--open-bg:#3a2a08;
--invalid:#d9a8f2;--invalid-bg:#331a40;--own:#9cc8ee;--own-bg:#132a3d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,footer{max-width:90rem;margin:0 auto;padding:0 1.5rem}
.wide{width:min(100vw - 3rem,120rem);margin-inline:calc(50% - min(50vw - 1.5rem,60rem))}
header{padding:2.5rem 0 1rem}
.eyebrow{margin:0;color:var(--quiet);font-size:.85rem;letter-spacing:.06em;text-transform:uppercase}
h1{margin:.2rem 0 .4rem;font-size:2.1rem;line-height:1.2;display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
h2{margin:2.6rem 0 .6rem;font-size:1.35rem}
h4{margin:1.2rem 0 .4rem;font-size:1rem}
h5{margin:.6rem 0 .2rem;font-size:.8rem;color:var(--quiet)}
.version,.quiet{color:var(--quiet);font-weight:400}
.lead{max-width:50rem;font-size:1.08rem;margin:.4rem 0 1.2rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.7rem;margin:0}
.figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .8rem}
.figure dt{color:var(--quiet);font-size:.8rem}
.figure dd{margin:0;white-space:nowrap;font-size:1.2rem;font-weight:650;font-variant-numeric:tabular-nums}
.pass-text{color:var(--pass)}.leak-text{color:var(--leak)}
.badge{display:inline-block;padding:.1rem .6rem;border-radius:1rem;font-size:.78rem;font-weight:700;letter-spacing:.03em;vertical-align:middle;background:var(--card);color:var(--quiet);border:1px solid currentColor}
.badge.pass{color:var(--pass);background:var(--pass-bg)}.badge.leak{color:var(--leak);background:var(--leak-bg)}
.badge.open{color:var(--open);background:var(--open-bg)}.badge.invalid{color:var(--invalid);background:var(--invalid-bg)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--quiet);font-size:.82rem;padding:.5rem .8rem}
th,td{text-align:left;padding:.45rem .7rem;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;color:var(--quiet);font-weight:600;font-size:.82rem;white-space:nowrap}
.truth tr.first th,.truth tr.first td{border-top:2px solid var(--quiet)}
.truth thead th{font-size:.78rem;padding:.45rem .3rem}
.truth tbody th,.truth td.owner{min-width:7rem;max-width:9rem;padding:.45rem .3rem;font-size:.84rem;overflow-wrap:anywhere}
.truth td.owner{color:var(--quiet)}
.truth td{padding:.4rem .3rem}.truth td.none{color:var(--quiet)}
.truth small{display:block;font-size:.72rem;line-height:1.4;white-space:nowrap;opacity:.85}
.links{margin:.15rem 0 0;font-size:.72rem;line-height:1.6}
.links summary{cursor:pointer}
.links a{color:inherit;display:inline-block;min-width:2rem}
.links a.leak{color:var(--leak);font-weight:700}.links a.open{color:var(--open)}.links a.invalid{color:var(--invalid)}
@media(max-width:72rem){.truth thead{display:none}.truth,.truth tbody,.truth caption{display:block}
.truth tr{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));border-top:1px solid var(--line);padding-bottom:.6rem}
.truth tr.first{border-top:2px solid var(--quiet)}
.truth tr.first th,.truth tr.first td,.truth th,.truth td{border-top:0}
.truth tbody th{grid-column:1/-1;max-width:none;padding:.7rem .8rem 0}
.truth td.owner{grid-column:1/-1;max-width:none;padding:0 .8rem .5rem}.truth td.owner::before{content:"\2192\00a0"}
.truth td[data-column]{padding:.4rem .8rem}
.truth td[data-column]::before{content:attr(data-column);display:block;font-size:.72rem;opacity:.85}
.figures{grid-template-columns:repeat(auto-fit,minmax(6.2rem,1fr))}
.probe summary{flex-wrap:wrap}.evidence,.plain{display:block;overflow-x:auto}.evidence td,.plain td{min-width:6rem}}
@media(max-width:40rem){.evidence thead{display:none}.evidence tbody,.evidence tr,.evidence td{display:block}
.evidence td[data-column]::before{content:attr(data-column)": ";color:var(--quiet)}}
td.pass{color:var(--pass);background:var(--pass-bg)}td.own.pass{color:var(--own);background:var(--own-bg)}
td.leak{color:var(--leak);background:var(--leak-bg)}td.leak a{font-weight:700}
td.open{color:var(--open);background:var(--open-bg)}td.invalid{color:var(--invalid);background:var(--invalid-bg)}
.probe{border:1px solid var(--line);border-radius:.6rem;margin:.45rem 0;padding:0 1rem;background:var(--card)}
.probe[open]{padding-bottom:1rem}
.probe summary{cursor:pointer;padding:.55rem 0;display:flex;gap:.7rem;align-items:center}
.probe .title{flex:1}
.id{font:600 .85rem/1 ui-monospace,"SF Mono",Menlo,Consolas,monospace;min-width:3.2rem;display:inline-block}
.reason{border-left:3px solid var(--open);padding-left:.7rem;margin:.5rem 0}
.evidence{background:var(--paper);border:1px solid var(--line)}
.evidence tr.leak td{background:var(--leak-bg);color:var(--leak)}
.evidence tr.open td{background:var(--open-bg)}.evidence tr.invalid td{background:var(--invalid-bg)}
.bytes summary{padding:0;color:var(--accent);font-size:.78rem;display:list-item}
pre{margin:0;max-width:46rem;max-height:16rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:.78rem/1.4 ui-monospace,Menlo,Consolas,monospace}
code{font:.85em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
footer{padding-block:2.5rem;color:var(--quiet);font-size:.85rem}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
:target{outline:2px solid var(--accent)}
.skip{position:absolute;left:-100rem}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.4rem .8rem}
@media print{.probe{break-inside:avoid}details:not([open])>*:not(summary){display:none}}
)css";

/// Opens what is folded around the evidence that a square of the truth table points to.
inline constexpr std::string_view report_script = R"js(
function show(){var e=location.hash&&document.getElementById(location.hash.slice(1)),d=e;if(!e)return;
while((d=d.closest("details"))){d.open=true;d=d.parentElement}e.scrollIntoView()}
addEventListener("hashchange",show);show();
document.addEventListener("click",function(e){var a=e.target.closest&&e.target.closest("a[href^='#']");if(a&&a.hash===location.hash)show()});
)js";

}  // namespace caisson::conformance
