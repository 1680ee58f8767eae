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
  specification.width = figure.clientWidth;
  await load("vega.js");
  const place = document.createElement("div");
  await window.vegaEmbed(place, specification, { renderer: "svg", actions: { export: true, source: true, compiled: false, editor: false } });
  const [drawn, narrow] = figure.querySelectorAll("svg");
  drawn.replaceWith(place);
  narrow?.remove();
  // A picture by its role has no parts, and now there is a menu to open.
  figure.parentElement.setAttribute("role", "group");
}

function chart(figure) {
  const start = () => enliven(figure).catch(() => {});
  figure.addEventListener("pointerenter", start, { once: true });
}

// Columns of numbers with a dash (withheld) or a bound ("< .001") among them are sorted by value too.
function orderByValue(table) {
  const rows = [...table.tBodies[0].rows];
  for (const place of [...table.tHead.rows[0].cells].keys()) {
    const texts = rows.map((row) => row.cells[place].textContent.trim());
    const values = texts.map((text) => (text === "–" ? -1e9 : text.startsWith("< ") ? 0 : text ? Number(text) : NaN));
    if (values.some(Number.isNaN)) continue;
    rows.forEach((row, at) => { row.cells[place].dataset.order = values[at]; });
  }
}

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
    orderByValue(table);
    jQuery(table).DataTable({
      paging: rows > 25, pageLength: 25, info: rows > 25, searching: rows > 6, order: [],
      layout: { topStart: null, bottomStart: { buttons: [{ extend: "csv", text: "CSV", filename: table.parentElement.dataset.name }] } },
    });
  }
}

function gallery(box) {
  const pictures = JSON.parse(box.querySelector("script").textContent);
  const [photo, kind] = box.querySelectorAll("select");
  const level = box.querySelector("input");
  const draw = () => {
    const one = pictures[photo.value][kind.value][level.value];
    const [picture, map] = box.querySelectorAll("img");
    const name = `${photo.value}, ${kind.value}, level ${level.value}`;
    [picture.src, picture.alt] = [one.picture, name];
    [map.src, map.alt] = [one.map, `${name}: what raises its score, as a heat map`];
    box.querySelector("output").textContent = `level ${level.value}: pseudo-MOS ${one.pseudo_mos}, model's score ${one.score}`;
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

function unfold() {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll("div.gallery").forEach(gallery);
  document.querySelectorAll("div.switch").forEach(switches);
  tables().then(accessible);
});
window.addEventListener("beforeprint", unfold);
