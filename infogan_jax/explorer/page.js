// The sliders, rows and pictures of the page. All it knows comes from /api/run.
const find = (id) => document.getElementById(id);
const ROWS = 10;
const GAP = 2; // pixels between images of a canvas

const state = { codes: {}, chosen: null, rows: [], read: null };
let run, names;

// ---- asking the server

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer; start `infogan explore` again.");
  }
  if (answer.ok) return answer;
  let text = answer.statusText;
  try {
    text = (await answer.json()).error;
  } catch {}
  throw new Error(text);
}

const json = (body, method = "POST") => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

function problem(error) {
  find("problem").textContent = error ? error.message : "";
  find("problem").hidden = !error;
}

// Calls `work` at once, or again after the call that is still under way: however fast a
// slider moves, one request is open and the last value is shown. How many calls are
// under way stands in the page.
let open = 0;
function latest(work) {
  let busy = false;
  let again = false;
  return async function call() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    document.body.dataset.busy = String(++open);
    do {
      again = false;
      try {
        await work();
        problem(null);
      } catch (error) {
        problem(error);
      }
    } while (again);
    busy = false;
    document.body.dataset.busy = String(--open);
  };
}

// ---- images

function draw(canvas, bitmap, row, columns) {
  const [height, width] = run.image;
  const scale = Math.max(1, Math.round(56 / Math.max(height, width)));
  const [tall, wide] = [height * scale, width * scale];
  canvas.width = columns * (wide + GAP) - GAP;
  canvas.height = tall;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  for (let column = 0; column < columns; column++)
    context.drawImage(
      bitmap, column * width, row * height, width, height,
      column * (wide + GAP), 0, wide, tall,
    );
}

async function bitmapOf(answer) {
  return createImageBitmap(await answer.blob());
}

const showSamples = latest(async () => {
  const began = performance.now();
  const asked = { codes: state.codes, rows: state.rows.map((row) => row.seed) };
  const bitmap = await bitmapOf(await ask("/api/samples", json(asked)));
  state.rows.forEach((row, place) => {
    if (place < asked.rows.length) draw(row.samples, bitmap, place, run.columns);
  });
  bitmap.close();
  const count = asked.rows.length * run.columns;
  const took = Math.round(performance.now() - began);
  find("time").textContent = `${count} images in ${took} ms`;
});

const showTraversal = latest(async () => {
  if (!state.chosen) return;
  const code = run.codes.find((each) => each.name === state.chosen);
  const rows = state.rows.map((row) => row.seed);
  const asked = { codes: state.codes, rows, code: code.name };
  const answer = await ask("/api/traversal", json(asked));
  const values = JSON.parse(answer.headers.get("X-Values"));
  const bitmap = await bitmapOf(answer);
  state.rows.forEach((row, place) => {
    if (place < rows.length) draw(row.traversal, bitmap, place, values.length);
  });
  bitmap.close();
  showValues(code, values);
});

function showValues(code, values) {
  find("traversed").textContent = `traversal of ${withParent(code)}`;
  const marks = values.map((value) => {
    const mark = document.createElement("span");
    mark.textContent =
      code.kind === "categorical" ? category(code, value) : value.toFixed(1);
    mark.classList.toggle("beyond", code.kind === "uniform" && Math.abs(value) > 1);
    return mark;
  });
  find("values").replaceChildren(...marks);
  find("values").className = code.kind;
  const root = document.documentElement.style;
  root.setProperty("--left", `${run.columns}fr`);
  root.setProperty("--right", `${values.length}fr`);
  find("values").dataset.values = JSON.stringify(values);
  markNearest();
}

// Marks the value of the traversal that the slider is nearest to.
function markNearest() {
  const values = JSON.parse(find("values").dataset.values || "[]");
  const value = state.codes[state.chosen];
  const away = values.map((each) => Math.abs(each - value));
  const near = value === null ? -1 : away.indexOf(Math.min(...away));
  [...find("values").children].forEach((mark, place) =>
    mark.classList.toggle("near", place === near),
  );
}

// ---- codes

const shown = (name) => names[name] || name;
const withParent = (code) =>
  code.parent ? `${shown(code.name)} in ${shown(code.parent)}` : shown(code.name);
const category = (code, value) =>
  value === null ? "each" : names[`${code.name}/${value}`] || String(value);

function set(code, value) {
  state.codes[code.name] = value;
  const place = find(`code-${code.name}`);
  place.querySelector("output").textContent =
    code.kind === "categorical" ? category(code, value) : value.toFixed(2);
  if (code.kind === "categorical") {
    place.querySelectorAll(".categories button").forEach((button, each) => {
      button.setAttribute("aria-pressed", String(each === (value ?? code.size)));
    });
    place.querySelector(".naming input").value = names[`${code.name}/${value}`] || "";
    place.querySelector(".naming").hidden = value === null;
    place.querySelector(".naming span").textContent = `name of ${value}`;
  } else place.querySelector("input[type=range]").value = value;
}

function changed(code) {
  showSamples();
  // the traversed code takes its own values, whatever its slider says
  if (code.name !== state.chosen || code.size > 20) showTraversal();
  else markNearest();
}

function choose(code) {
  state.chosen = code.name;
  for (const each of run.codes) {
    const place = find(`code-${each.name}`);
    place.classList.toggle("chosen", each === code);
    place.querySelector("input[type=radio]").checked = each === code;
  }
  showTraversal();
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function rename(key, input) {
  const before = names[key] || "";
  const name = input.value.trim();
  try {
    names = await (await ask("/api/names", json({ [key]: name }, "PATCH"))).json();
    problem(null);
  } catch (error) {
    input.value = before;
    problem(error);
  }
  showNames();
}

function showNames() {
  for (const code of run.codes) {
    const place = find(`code-${code.name}`);
    place.querySelector(".name input[type=text]").value = shown(code.name);
    place.querySelectorAll(".categories button").forEach((button, value) => {
      button.textContent = category(code, value < code.size ? value : null);
    });
    set(code, state.codes[code.name]);
  }
  const code = run.codes.find((each) => each.name === state.chosen);
  const values = JSON.parse(find("values").dataset.values || "[]");
  if (code && values.length) showValues(code, values);
}

function panel(code) {
  const name = element("input", {
    type: "text", maxLength: 64, spellcheck: false,
    title: `${code.name}: type what it means; it is kept in names.json`,
  });
  name.setAttribute("aria-label", `name of ${code.name}`);
  name.addEventListener("change", () => rename(code.name, name));
  const radio = element("input", {
    type: "radio", name: "chosen", title: "traverse this code",
  });
  radio.setAttribute("aria-label", `traverse ${code.name}`);
  radio.addEventListener("change", () => choose(code));
  const head = element("div", { className: "name" }, radio, name, element("output"));
  const place = element("fieldset", { id: `code-${code.name}` }, head);
  place.append(...(code.kind === "categorical" ? buttons(code) : slider(code)));
  return place;
}

function buttons(code) {
  const values = [...Array(code.size).keys(), null]; // null: another one in each row
  const all = values.map((value) => {
    const button = element("button", { type: "button" });
    if (value === null) button.title = "each row another one";
    button.addEventListener("click", () => {
      set(code, value);
      changed(code);
    });
    return button;
  });
  const input = element("input", { type: "text", maxLength: 64, spellcheck: false });
  input.setAttribute("aria-label", `name of the chosen category of ${code.name}`);
  input.addEventListener("change", () =>
    rename(`${code.name}/${state.codes[code.name]}`, input),
  );
  return [
    element("div", { className: "categories" }, ...all),
    element("label", { className: "naming" }, element("span"), input),
  ];
}

function slider(code) {
  const input = element("input", {
    type: "range", min: code.low, max: code.high, step: 0.05, value: 0,
  });
  input.setAttribute("aria-label", `value of ${code.name}`);
  input.addEventListener("input", () => {
    set(code, Number(input.value));
    changed(code);
  });
  const priors = {
    uniform: "trained from -1 to 1", gaussian: "two thirds of training",
  };
  const words = priors[code.kind] || "";
  const prior = element("div", { className: "prior", title: words }, element("i"));
  prior.hidden = !words;
  return [
    element("div", { className: "slider" }, input, prior),
    element(
      "div", { className: "ends" }, element("small", {}, Number(code.low.toFixed(2))),
      element("small", {}, words), element("small", {}, Number(code.high.toFixed(2))),
    ),
  ];
}

// ---- rows

function row(seed) {
  const pin = element("input", { type: "checkbox", title: "keep this row" });
  const number = element("span", {}, String(seed));
  const smooth = Math.max(...run.image) < 64 ? "pixelated" : "";
  const [samples, traversal] = ["samples", "traversal"].map((kind) => {
    const canvas = element("canvas", { className: `${kind} ${smooth}` });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${kind} of row ${seed}`);
    return canvas;
  });
  pin.setAttribute("aria-label", `pin row ${seed}`);
  const place = element(
    "div", { className: "row" },
    element("label", { title: "keep this row" }, pin, number), samples, traversal,
  );
  find("rows").append(place);
  return { seed, pin, number, samples, traversal };
}

function newRows() {
  let next = Math.max(...state.rows.map((each) => each.seed)) + 1;
  for (const each of state.rows) {
    if (each.pin.checked) continue;
    each.seed = next++;
    each.number.textContent = String(each.seed);
    each.samples.setAttribute("aria-label", `samples of row ${each.seed}`);
    each.traversal.setAttribute("aria-label", `traversal of row ${each.seed}`);
    each.pin.setAttribute("aria-label", `pin row ${each.seed}`);
  }
  showSamples();
  showTraversal();
}

// ---- pictures

let pictures = 0;

async function readPicture(file) {
  const number = ++pictures;
  const post = () => ({ method: "POST", body: file });
  find("among").textContent = "";
  find("nearest").hidden = true;
  try {
    const answer = await (await ask("/api/reading", post())).json();
    if (number !== pictures) return;
    problem(null);
    showReading(answer);
    find("among").textContent = "Looking for the nearest training images…";
    const found = await (await ask("/api/nearest", post())).json();
    if (number === pictures) showNearest(found);
  } catch (error) {
    find("among").textContent = "";
    problem(error);
  }
}

function showReading(answer) {
  state.read = answer.codes;
  find("reading").hidden = false;
  find("picture").src = answer.picture;
  find("again").src = answer.reconstructions;
  const lines = run.codes.map((code) => {
    const { probabilities, mean, sd } = answer.codes[code.name];
    let words;
    if (code.kind === "categorical") {
      const order = probabilities.map((_, value) => value);
      order.sort((a, b) => probabilities[b] - probabilities[a]);
      words = order
        .slice(0, 3)
        .map((value) => `${category(code, value)}: ${probabilities[value].toFixed(3)}`)
        .join(",  ");
    } else words = `${mean.toFixed(2)} ± ${sd.toFixed(2)}`;
    return element(
      "tr", {}, element("th", { scope: "row" }, withParent(code)),
      element("td", {}, words),
    );
  });
  find("read").replaceChildren(...lines);
}

function showNearest(found) {
  find("nearest").hidden = !found.images;
  if (found.images) find("nearest").src = found.images;
  find("among").textContent =
    found.missing ||
    `The nearest of ${found.among}, by the features that D and Q share`;
}

function takeCodes() {
  for (const code of run.codes) {
    const { probabilities, mean } = state.read[code.name];
    const value =
      code.kind === "categorical"
        ? probabilities.indexOf(Math.max(...probabilities))
        : Math.min(Math.max(mean, code.low), code.high);
    set(code, value);
  }
  showSamples();
  showTraversal();
}

// ---- the beginning

async function begin() {
  run = await (await ask("/api/run")).json();
  names = run.names;
  document.title = `${run.name}: explore`;
  find("title").textContent = run.name;
  find("about").textContent = run.about;
  find("codes").append(...run.codes.map(panel));
  for (const code of run.codes) state.codes[code.name] = 0;
  const categories = run.codes.find((code) => code.kind === "categorical");
  if (categories) state.codes[categories.name] = null;
  state.rows = Array.from({ length: ROWS }, (_, seed) => row(seed));
  for (const image of document.images) image.classList.add("pixelated");
  showNames();
  showSamples();
  const first = run.codes.find((code) => code.kind !== "categorical") || run.codes[0];
  if (first) choose(first);
  find("new").addEventListener("click", newRows);
  find("middle").addEventListener("click", () => {
    for (const code of run.codes) if (code.kind !== "categorical") set(code, 0);
    showSamples();
    showTraversal();
  });
  find("take").addEventListener("click", takeCodes);
  find("file").addEventListener("change", (event) => {
    if (event.target.files.length) readPicture(event.target.files[0]);
  });
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      find("drop").classList.toggle("over", kind === "dragover");
      const file = event.dataTransfer?.files[0];
      if (kind === "drop" && file) readPicture(file);
    });
}

begin().catch(problem);
