// Charts come to life when the reader points at them; tables sort, filter and download.
const library = new URL("../lib/", document.currentScript.src);

let runtime;
function vega() {
  runtime ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.type = "module";
    script.src = new URL("vega.js", library);
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return runtime;
}

async function enliven(figure) {
  const specification = JSON.parse(figure.querySelector("script").textContent);
  await vega();
  const place = document.createElement("div");
  await window.vegaEmbed(place, specification, { renderer: "svg", actions: { export: true, source: true, compiled: false, editor: false } });
  figure.querySelector("svg").replaceWith(place);
}

function chart(figure) {
  const start = () => enliven(figure).catch(() => {});
  figure.addEventListener("pointerenter", start, { once: true });
}

async function tables() {
  const found = document.querySelectorAll("div.table > table");
  if (!found.length) return;
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("dt_bundle.css", library);
  document.head.prepend(style);
  const { jQuery } = await import(new URL("dt_bundle.js", library));
  for (const table of found) {
    const rows = table.tBodies[0].rows.length;
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
    box.querySelector("img.picture").src = one.picture;
    box.querySelector("img.picture").alt = `${photo.value}, ${kind.value}, level ${level.value}`;
    box.querySelector("output").textContent = `level ${level.value}: pseudo-MOS ${one.pseudo_mos}, model's score ${one.score}`;
  };
  for (const control of [photo, kind, level]) control.addEventListener("input", draw);
  draw();
}

function unfold() {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll("div.gallery").forEach(gallery);
  tables();
});
window.addEventListener("beforeprint", unfold);
