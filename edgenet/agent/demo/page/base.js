// What every other file uses. The files are joined in the order of their names and begin when the page is there.
const $ = id => document.getElementById(id);
const GOAL = 1000 / 24;
const make = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text != null) element.textContent = text;
  return element;
};
const fixed = (v, d = 1) => v == null ? "–" : v.toFixed(d);
const ms = v => v == null ? "–" : (v < 10 ? v.toFixed(2) : v.toFixed(1)) + " ms";
const by = size => size.join("×");
const score = (model, value, digits) => model.task === "embedding"
  ? value.toFixed(2)
  : (100 * value).toFixed(digits ?? (value < .995 && value >= .0995 ? 0 : 1)) + " %";
const pause = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

// `own` is a viewer's own picture with its answer, in place of the live view, or null.
let state = null, own = null;
const seen = () => own ? own.answer : state;
// Until an image shows this, or the next one that it is given.
const shows = (image, url) => new Promise(done => {
  for (const event of ["load", "error"]) image.addEventListener(event, done, {once: true});
  image.src = url;
});

let toastTimer;
function toast(text) {
  const box = $("toast");
  box.textContent = text; box.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove("on"), 3200);
}
// The line under the picture.
function tell(text, bad = false) {
  const line = $("told");
  line.classList.toggle("bad", bad);
  if (line.textContent !== text) line.textContent = text;
}
function note(title, text) {
  $("note").hidden = !title;
  if (title) $("note").replaceChildren(make("span", "", title), make("small", "", text));
  for (const id of ["img", "boxes"]) $(id).classList.toggle("gone", !!title);
}
function save(blob, name) {
  const link = make("a"), url = URL.createObjectURL(blob);
  link.href = url; link.download = name; link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
