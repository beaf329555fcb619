// Buttons, keys, and what they ask of the demo.
async function act(order) {
  try {
    const answer = await ask("/do", {method: "POST", body: JSON.stringify(order)});
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return await answer.json();
  } catch (error) { toast(String(error.message || error)); return null }
}

// At once, and not when the state is asked for again: whoever presses twice has pressed twice.
function toggle(name, told) {
  if (!state) return;
  state[told] = !state[told];
  drawButtons();
  return act({do: name, on: state[told]});
}

async function snapshot() {
  const done = await act({do: "snapshot"});
  if (!done) return;
  if (!done.name) { toast("there is no frame yet"); return }
  $("view").classList.remove("flash"); void $("view").offsetWidth; $("view").classList.add("flash");
  toast(`saved ${done.name} with its answers`);
}

async function link() {
  const done = await act({do: "link"});
  if (!done) return;
  const url = location.origin + done.path;
  try { await navigator.clipboard.writeText(url); toast("copied an address for one more browser; it works once") } catch { toast(url) }
}

async function clip() {
  const answer = await ask("/clip.avi").catch(() => null);
  if (!answer || !answer.ok) { toast(answer ? (await answer.text()).trim() : "the demo did not answer"); return }
  const blob = await answer.blob(), seconds = answer.headers.get("x-seconds");
  save(blob, `edgenet-${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}.avi`);
  toast(`the last ${seconds} s as a video of ${(blob.size / 1e6).toFixed(1)} MB, without labels`);
}

function drawButtons() {
  $("pause").setAttribute("aria-pressed", state.paused);
  $("pause").children[1].textContent = state.paused ? "Resume" : "Pause";
  $("held").hidden = !state.paused || !!own;
  $("record").setAttribute("aria-pressed", state.recording);
  $("record").children[1].textContent = state.recording ? "Collecting" : "Collect images";
  drawCollected();
  for (const button of $("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === state.mode);
  $("dot").className = "dot" + (state.trouble ? " bad" : state.paused ? " off" : "");
  $("status").textContent = state.trouble ? "waiting" : state.paused ? "paused" : "live";
  if (state.viewers > 1) $("status").textContent += ` · ${state.viewers} viewers`;
  if (!own) note(state.trouble && !state.fps.camera ? "Waiting for the camera" : "", state.trouble);
}

function drawCollected() {
  const {folder, count, most, every_s: every, trouble} = state.collecting, line = $("collecting");
  line.hidden = !state.recording && !count && !trouble;
  line.classList.toggle("bad", !!trouble);
  if (line.hidden) return;
  const where = `${folder} on the computer that runs edgenet`;
  const told = trouble ? `A picture could not be kept: ${trouble}.` + (count ? ` Collecting has stopped at ${count} images.` : "")
    : state.recording ? `Collecting: ${count} of at most ${most.toLocaleString("en-US")} images, ${1 / every} a second, into ${where}.`
    : `Collected ${count} images in ${where}. To calibrate with them: edgenet compile MODEL --calibration ${folder}`;
  if (line.textContent === told) return;
  line.textContent = told;
  if (trouble) toast(`not kept: ${trouble}`);
}

const KEYS = {" ": "pause", s: "snapshot", o: "own", c: "camera", r: "record", v: "clip", l: "link", escape: "back"};
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const name = event.key.toLowerCase(), mode = {1: "a", 2: "b", 3: "both"}[name], control = event.target.closest?.("button, select, summary, input");
  // What has the focus keeps its own keys.
  if (control && (control.tagName === "SELECT" || name === " ")) return;
  if (mode && !$("choice").hidden) act({do: "mode", mode});
  const button = KEYS[name] && $(KEYS[name]);
  if (button && !button.hidden && !button.disabled) { event.preventDefault(); button.click() }
}

function setUpControls() {
  $("pause").onclick = () => toggle("pause", "paused");
  $("snapshot").onclick = snapshot;
  $("record").onclick = () => toggle("record", "recording");
  $("clip").onclick = clip;
  $("link").onclick = link;
  addEventListener("keydown", pressed);
  addEventListener("resize", drawBoxes);
  addEventListener("hashchange", () => location.reload());  // a new address, opened in the same tab
}
