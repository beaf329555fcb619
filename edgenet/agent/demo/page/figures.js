// Frames a second, a frame's age, its milliseconds, and what the board tells of itself.
const HINTS = {
  capture: "what the source spends on a picture", wait: "between the stages", pre: "decode and resize", invoke: "the network",
  post: "the answer in words, and where it is", align: "each object cut out for the second model",
  then: "the second network, each object", encode: "for this page; the label does not wait for it",
};
const PARTS = Object.keys(HINTS), KEPT_MS = 30000;
// [when, value] of each figure, of the last 30 seconds.
const history = {fps: [], age: []};
let drawn = 0;

function setUpFigures() {
  for (const part of PARTS) {
    const bar = make("i", part), item = make("div");
    bar.title = `${part}: ${HINTS[part]}`; $("stack").append(bar);
    item.title = HINTS[part];
    item.append(make("i", part), make("span", "soft", part), make("b", "", "–"));
    $("legend").append(item);
  }
}

function drawFigures() {
  drawn++;
  drawSpeed(); drawDelay(); drawSizes(); drawBudget(); drawBoard();
}

function drawSpeed() {
  const fps = state.age_ms ? state.fps.camera : null, source = state.fps.source, points = keep("fps", fps), values = points.map(point => point[1]);
  const slow = !state.paused && values.length > 8 && fps < 23.5 && source > fps + 1;
  $("fps").textContent = state.paused ? "0" : fixed(fps, fps < 9.95 ? 1 : 0);
  if (!points.length) return;
  $("fpsnote").textContent = `of ${fixed(source, 0)} · ${state.dropped || "none"} skipped`;
  $("fpsnote").title = "answered, of those that the source gives";
  $("speed").classList.toggle("slow", slow);
  chart("fpschart", points, Math.max(30, ...values) * 1.12, 24);
  describe("fpschart", "Frames a second", points, v => fixed(v, 1), "The dashed line is 24.");
}

function drawDelay() {
  // What is known of the last second is not known before the first one is over.
  const age = state.age_ms || null, points = keep("age", age), most = Math.max(5, ...points.map(point => point[1])) * 1.15;
  $("age").replaceChildren(fixed(age, age < 9.95 ? 1 : 0), make("i", "", "ms"));
  $("agep").textContent = state.age_p99_ms == null ? "no frame yet" : `p99 ${ms(state.age_p99_ms)}`;
  $("agep").title = "from the camera's first byte to the label: the mean of the last second, and 99 % of all frames";
  if (!points.length) return;
  $("agemost").textContent = `top: ${fixed(most, 0)} ms`;
  chart("agechart", points, most, null);
  describe("agechart", "Glass to label", points, ms, "");
}

function keep(name, value) {
  const points = history[name], now = performance.now();
  if (value != null) points.push([now, value]);
  while (points.length && now - points[0][0] > KEPT_MS) points.shift();
  return points;
}

function chart(id, points, most, goal) {
  const [area, line, run] = $(id).children, last = points.at(-1)[0], y = v => 60 - 60 * v / most;
  const x = when => (200 - 200 * (last - when) / KEPT_MS).toFixed(1);
  const path = points.map(([when, v]) => `${x(when)},${y(v).toFixed(1)}`).join("L");
  run.setAttribute("d", "M" + path);
  area.setAttribute("d", `M${x(points[0][0])},60L${path}L200,60Z`);
  line.style.display = goal == null ? "none" : "";
  if (goal != null) for (const end of ["y1", "y2"]) line.setAttribute(end, y(goal));
}

// A chart in words, not at every point.
function describe(id, name, points, say, more) {
  if (drawn % 12) return;
  const values = points.map(point => point[1]), seconds = Math.round((points.at(-1)[0] - points[0][0]) / 1000);
  const told = `${name}, the last ${seconds} seconds: ${say(values.at(-1))} now, least ${say(Math.min(...values))}, most ${say(Math.max(...values))}. ${more}`;
  $(id).setAttribute("aria-label", told.trim());
}

function drawSizes() {
  const sizes = state.sizes, page = sizes.page || sizes.camera;
  if (page && !own) $("view").style.aspectRatio = page.join(" / ");
  const models = [...new Set(sizes.models.map(by))].join(", ");
  const here = page && sizes.camera && by(page) !== by(sizes.camera) ? ` · here ${by(page)}` : "";
  $("sizes").textContent = `${sizes.camera ? by(sizes.camera) : ""} ${sizes.format || ""} → ${models}` + here;
  $("sizes").title = state.source.note || "what the camera gives, and what of it the network sees";
  $("small").hidden = !state.source.note;
  $("small").textContent = state.source.note || "";
}

function drawBudget() {
  const spent = state.budget_ms, total = PARTS.reduce((sum, part) => sum + (spent[part] || 0), 0);
  const scale = Math.max(GOAL * 1.18, total * 1.04);
  PARTS.forEach((part, i) => {
    $("stack").children[i].style.width = 100 * (spent[part] || 0) / scale + "%";
    if ($("legend").children[i].hidden = spent[part] == null) return;
    $("legend").children[i].lastChild.textContent = fixed(spent[part], spent[part] < 10 ? 2 : 1);
  });
  $("limit").style.left = 100 * GOAL / scale + "%";
}

function drawBoard() {
  const b = state.board, facts = [
    ["temperature", b.temperature_c == null ? null : fixed(b.temperature_c, 0) + " °C", b.absent.temperature_c],
    ["throttling", b.throttled_now == null ? null : b.throttled_now.join(", ") || "none", b.absent.throttled],
    ["demo's memory", b.memory_mb == null ? null : fixed(b.memory_mb, 0) + " MB"],
    ["memory free", b.memory_available_mb == null ? null : fixed(b.memory_available_mb / 1000, 1) + " GB", b.absent.memory_available_mb],
    ["power", b.power_w == null ? null : fixed(b.power_w, 1) + " W", b.absent.power_w],
    ["load", b.load_1m == null ? null : fixed(b.load_1m, 1), b.absent.load_1m]];
  $("facts").replaceChildren(...facts.filter(([, value]) => value != null).map(([name, value]) => {
    const box = make("div");
    box.append(make("b", "", value), make("small", "", name));
    return box;
  }));
  drawAbsent([...lacking, ...facts.filter(([, value]) => value == null).map(([name, , why]) => [name, why || "not told"])]);
  const s = Math.floor(state.seconds), clock = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  $("seconds").textContent = clock + (state.counts.damaged ? ` · ${state.counts.damaged} damaged` : "");
}

let listed = "";
function drawAbsent(pairs) {
  if (listed === (listed = JSON.stringify(pairs))) return;
  $("absent").replaceChildren(...pairs.map(([name, why]) => {
    const line = make("div");
    line.append(make("dt", "", name), make("dd", "", why));
    return line;
  }));
}
