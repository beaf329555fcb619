// The way in, the state eight times a second, and the pictures. The key stays in this tab and with this very port; it goes along in a header, and only from here.
let key = sessionStorage.getItem("key"), misses = 0, shown = 0, turn = 0;
const ask = (path, more = {}) => fetch(path, {cache: "no-store", ...more, headers: {Authorization: `Bearer ${key}`}});

function locked(why) {
  sessionStorage.removeItem("key"); key = null;
  $("dot").className = "dot off"; $("status").textContent = "locked";
  note("This page is locked", why);
}

async function enter() {
  const token = location.hash.slice(1);
  if (!token) return "";
  window.history.replaceState(null, "", "/");
  const answer = await fetch("/enter", {method: "POST", headers: {Authorization: `Bearer ${token}`}});
  if (!answer.ok) return await answer.text();
  key = (await answer.json()).key;
  sessionStorage.setItem("key", key);
  return "";
}

async function poll() {
  try {
    const answer = await ask("/state", {signal: AbortSignal.timeout(4000)});
    if (answer.status === 403) { locked(await answer.text()); return }
    if (!answer.ok) throw new Error(await answer.text());
    const first = state === null;
    state = await answer.json(); misses = 0;
    if (first) { setUp(); setUpSources() }
    if (!own && (state.frame !== shown || first)) { drawAnswers(); shown = state.frame }
    if (turn++ % 2 === 0) drawFigures();
    drawName(); drawSource(); drawButtons();
  } catch (error) {
    if (++misses === 4) {
      live();
      $("dot").className = "dot off"; $("status").textContent = "ended";
      note("The demo has ended", "Run edgenet demo again and open the new address.");
    }
  }
  setTimeout(poll, misses > 3 ? 1500 : document.hidden ? 1000 : 125);
}

// The stream's parts one after the other; a picture that comes while another is being drawn takes the place of one that waits.
let waiting = null, latest = null, drawing = false;
async function draw() {
  if (drawing) return;
  drawing = true;
  while (waiting && !own) {
    const next = waiting, url = URL.createObjectURL(next.data);
    waiting = null;
    await shows($("img"), url);
    if (!own) { pictured = next; drawBoxes() }
    URL.revokeObjectURL(url);
  }
  drawing = false;
}

async function parts(reader, take) {
  let bytes = new Uint8Array(0);
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const more = new Uint8Array(bytes.length + value.length);
    more.set(bytes); more.set(value, bytes.length); bytes = more;
    for (;;) {
      const head = new TextDecoder("latin1").decode(bytes.subarray(0, 131072)), end = head.indexOf("\r\n\r\n");
      const size = Number(/content-length: (\d+)/i.exec(head)?.[1]), from = end + 4;
      if (end < 0 || bytes.length < from + size + 2) break;
      const field = name => new RegExp(`^${name}: (.*)$`, "im").exec(head.slice(0, end))?.[1];
      const data = new Blob([bytes.subarray(from, from + size)], {type: field("content-type")});
      take({data, frame: Number(field("x-frame")), boxes: JSON.parse(field("x-boxes") || "[]")});
      bytes = bytes.slice(from + size + 2);
    }
  }
}

let reader;
async function stream() {
  try {
    const answer = await ask("/stream.mjpg");
    if (!answer.ok) throw new Error(await answer.text());
    reader = answer.body.getReader();
    await parts(reader, picture => { waiting = latest = picture; draw() });
  } catch { /* it broke: once more */ }
  if (key) setTimeout(stream, 1000);
}

addEventListener("DOMContentLoaded", () => {
  setUpFigures(); setUpControls(); setUpOwn();
  enter().catch(String).then(why => {
    if (!key) return locked(why || "Open the address that edgenet printed; it works once.");
    poll(); stream();
  });
});
