// Charts come to life when the reader points at them; tables sort, filter and download.
const library = new URL("../lib/", document.currentScript.src);

const loading = {};
function load(name) {
  loading[name] ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL(name, library);
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return loading[name];
}

async function enliven(figure) {
  const specification = JSON.parse(figure.querySelector("script").textContent);
  // As wide as the picture that is seen, which shrinks with the page only so far as it can be read.
  const seen = [...figure.querySelectorAll("svg")].find((one) => one.getClientRects().length);
  const width = seen.style.getPropertyValue("--width");
  specification.width = parseFloat(width);
  await load("vega.js");
  const place = document.createElement("div");
  await window.vegaEmbed(place, specification, { renderer: "svg", actions: { export: true, source: true, compiled: false, editor: false } });
  const [drawn, narrow] = figure.querySelectorAll("svg");
  place.querySelector("svg").style.setProperty("--width", width);
  drawn.replaceWith(place);
  narrow?.remove();
  // A picture by its role has no parts, and now there is a menu to open.
  figure.parentElement.setAttribute("role", "group");
}

function chart(figure) {
  const start = () => enliven(figure).catch(() => {});
  figure.addEventListener("pointerenter", start, { once: true });
}

// Columns of numbers with a dash (withheld), a bound ("< .001"), an interval (".8 [.7, .9]") or a list ("10, 5")
// among them are sorted by value too, a list by its first number. Those of scores with intervals are given back: there the best come first.
function orderByValue(table) {
  const scores = [];
  const rows = [...table.tBodies[0].rows];
  for (const place of [...table.tHead.rows[0].cells].keys()) {
    const texts = rows.map((row) => row.cells[place].textContent.trim());
    const values = texts.map((text) => (text === "–" ? -1e9 : text.startsWith("< ") ? 0 : text ? Number(text.split(/ \[|, /)[0]) : NaN));
    if (values.some(Number.isNaN)) continue;
    rows.forEach((row, at) => { row.cells[place].dataset.order = values[at]; });
    if (texts.some((text) => text.includes(" ["))) scores.push(place);
  }
  return scores;
}

// The ends of an interval are shown in one column; the CSV has both, each in a column of its own.
function joinIntervals(table) {
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const low = names.indexOf("low");
  if (low < 0 || names[low + 1] !== "high") return [];
  for (const row of table.rows) {
    const [from, to] = [low, low + 1].map((place) => row.cells[place].textContent.trim());
    const cell = row.cells[low];
    cell.dataset.csv = from;
    cell.textContent = from === "low" ? "95 % interval" : from === "–" ? from : `${from} to ${to}`;
  }
  return [low + 1];
}

function markLongTexts(table) {
  for (const cell of table.querySelectorAll("td:not([data-csv])")) {
    const { length } = cell.textContent;
    cell.classList.toggle("long", length > 12 && cell.textContent.includes(" "));
    cell.classList.toggle("sentence", length > 60);
  }
}

const written = (text, place, cell) => cell.dataset.csv ?? cell.textContent.trim();
const asWritten = { header: written, body: (text, row, place, cell) => written(text, place, cell) };

async function tables() {
  const found = document.querySelectorAll("div.table > table");
  if (!found.length) return;
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("dt_bundle.css", library);
  document.head.prepend(style);
  await load("dt_bundle.js");
  for (const table of found) {
    const rows = table.tBodies[0].rows.length;
    const scores = orderByValue(table);
    const hidden = joinIntervals(table);
    markLongTexts(table);
    const csv = { extend: "csv", text: "CSV", filename: table.parentElement.dataset.name, exportOptions: { format: asWritten } };
    jQuery(table).DataTable({
      paging: rows > 25, pageLength: 25, info: rows > 25, searching: rows > 6, order: [], autoWidth: false,
      columnDefs: [{ targets: hidden, visible: false }, { targets: scores, orderSequence: ["desc", "asc"] }],
      layout: { topStart: null, bottomStart: { buttons: [csv] } },
    });
  }
}

function gallery(box) {
  const pictures = JSON.parse(box.querySelector("script").textContent);
  const [photo, kind] = box.querySelectorAll("select");
  const level = box.querySelector("input");
  const draw = () => {
    const levels = pictures[photo.value][kind.value];
    const one = levels[level.value];
    const [picture, under] = box.querySelectorAll("img");
    const name = `${photo.value}, ${kind.value}, level ${level.value}`;
    picture.src = under.src = one.picture;
    [picture.alt, under.alt] = [name, `${name}: what raises its score, as a heat map`];
    box.querySelector(".map span").style.backgroundImage = `url(${one.map})`;
    const told = `level ${level.value}: pseudo-MOS ${one.pseudo_mos}, model's score ${one.score}`;
    box.querySelector("output").textContent = told;
    // The other levels are there before the slider is.
    for (const other of Object.values(levels)) new Image().src = other.picture;
  };
  for (const control of [photo, kind, level]) control.addEventListener("input", draw);
  draw();
}

function switches(box) {
  const names = [...box.querySelectorAll("input")].map((one) => one.value).filter(Boolean);
  box.addEventListener("change", (event) => {
    const chosen = event.target.value;
    for (const name of names) document.getElementById(name).hidden = Boolean(chosen) && chosen !== name;
  });
}

// What moves sideways has to be reached by the keyboard, at each size of the window; what opens has
// to have a name.
function accessible() {
  const reachable = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const boxes = "div.formula, div.table, div.table table, div.output, figure.chart, pre";
  document.querySelectorAll(boxes).forEach((box) => reachable.observe(box));
  for (const summary of document.querySelectorAll("nav summary")) summary.ariaLabel ||= "Pages of this part";
}

// Paper has no next page of a table, nothing to unfold, and is white.
function forPaper() {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  document.querySelectorAll("table.dataTable").forEach((one) => { jQuery(one).DataTable().page.len(-1).draw(); });
  const page = document.documentElement;
  const mode = page.dataset.theme;
  page.dataset.theme = "light";
  window.addEventListener("afterprint", () => { page.dataset.theme = mode; }, { once: true });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll("div.gallery").forEach(gallery);
  document.querySelectorAll("div.switch").forEach(switches);
  tables().then(accessible);
});
window.addEventListener("beforeprint", forPaper);
