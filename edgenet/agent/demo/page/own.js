// A viewer's own picture, or what the camera of this very phone or computer sees: answered on the board, shown in place of the live view.
const MOST_BYTES = 8 << 20, MOST_PIXELS = 16e6, MOST_SIDE = 8192, SIDE = 1920, CAMERA_SIDE = 960;
// The camera that runs; and how often one was wanted or no more, for whoever still waits for one.
let camera = null, wishes = 0;

async function jpeg(picture, wide, high, side, quality) {
  const scale = Math.min(1, side / Math.max(wide, high)), canvas = make("canvas");
  canvas.width = Math.max(1, Math.round(wide * scale)); canvas.height = Math.max(1, Math.round(high * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise(done => canvas.toBlob(done, "image/jpeg", quality));
  return {blob, size: [canvas.width, canvas.height]};
}

// JPEG and PNG go to the board as they are; what is too large, or of another kind, as a JPEG.
async function prepared(file) {
  let bitmap;
  try { bitmap = await createImageBitmap(file) } catch {
    throw new Error(`${file.name || "This"} is not a picture that this browser can read. Save it as JPEG or PNG and try again.`);
  }
  const {width, height} = bitmap, plain = /^image\/(jpeg|png)$/.test(file.type);
  if (plain && file.size <= MOST_BYTES && width * height <= MOST_PIXELS && Math.max(width, height) <= MOST_SIDE) return {blob: file, remark: ""};
  const made = await jpeg(bitmap, width, height, SIDE, .92);
  return {blob: made.blob, remark: ` It was sent as a JPEG of ${by(made.size)}, because it is ${plain ? "larger than the board takes" : "neither JPEG nor PNG"}.`};
}

// The board's answer; null where it is busy.
async function answered(blob) {
  let answer;
  try { answer = await ask("/look", {method: "POST", body: blob}) } catch { throw new Error("The demo did not take the picture: its connection broke.") }
  if (answer.status === 429) return null;
  if (!answer.ok) { const why = (await answer.text()).trim(); throw new Error(why.charAt(0).toUpperCase() + why.slice(1) + ".") }
  return await answer.json();
}

async function show(blob, answer) {
  const url = URL.createObjectURL(blob), image = $("img"), before = own;
  own = {url, answer};
  pictured = {boxes: answer.models.map(model => model.boxes)};
  image.style.imageOrientation = answer.as_stored ? "none" : "";
  image.alt = "Your picture";
  await shows(image, url);
  if (before) URL.revokeObjectURL(before.url);
  if (own?.url !== url) return;  // the live view came back, or the next picture
  $("view").style.aspectRatio = `${image.naturalWidth || 4} / ${image.naturalHeight || 3}`;
  $("back").hidden = false; $("pause").disabled = $("snapshot").disabled = true;
  note(""); drawAnswers(); drawBoxes();
}

async function look(file) {
  if (!file || !state) return;
  stopCamera();
  tell("Asking the board …");
  try {
    const {blob, remark} = await prepared(file);
    let answer = null;
    for (let tries = 0; !answer && tries < 10; tries++) { if (tries) await pause(.3); answer = await answered(blob) }
    if (!answer) throw new Error("The board is busy with other pictures. Try again in a moment.");
    await show(blob, answer);
    const first = answer.models.find(model => model.top && model.top.length);
    const label = first ? (first.boxes ? counted(first.boxes) : `${first.top[0][0]}, ${score(first, first.top[0][1], 0)}`) : "no answer";
    const stored = answer.as_stored ? " The file asks to be turned, and the model's card says to ignore that; this is what the network sees." : "";
    tell(`${file.name || "Your picture"}: ${label}. ${by(answer.size)}, ${ms(answer.ms.all)} on the board (decode and resize ${ms(answer.ms.pre)}, network ${ms(answer.ms.invoke)}).${remark}${stored}`);
  } catch (error) { tell(error.message, true) }
}

function invite() {
  const how = matchMedia("(pointer: coarse)").matches ? "Choose a picture, or turn on your camera" : "Drop or paste a picture here, or choose one";
  tell(`${how}: the models on the board answer it.`);
}

function live() {
  stopCamera();
  if (!own) return;
  URL.revokeObjectURL(own.url);
  own = null; pictured = {boxes: []};
  const image = $("img");
  image.style.imageOrientation = ""; image.alt = "What the camera sees";
  $("back").hidden = true; $("pause").disabled = $("snapshot").disabled = false;
  invite();
  drawAnswers(); drawBoxes(); drawSizes();
  if (latest) { waiting = latest; draw() }
}

const NO_CAMERA = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it for this page, or choose a picture.",
  NotFoundError: "This phone or computer has no camera that the browser finds. Choose a picture instead.",
  NotReadableError: "The camera is used by another program. Close that, or choose a picture.",
};

async function startCamera() {
  if (camera) { live(); return }
  if (!navigator.mediaDevices?.getUserMedia) { $("shoot").click(); return }
  const video = make("video"), wish = ++wishes;
  tell("Asking the browser for its camera …");
  try {
    const media = await navigator.mediaDevices.getUserMedia({audio: false, video: {facingMode: {ideal: "environment"}, width: {ideal: 1280}}});
    if (wish !== wishes) { media.getTracks().forEach(track => track.stop()); return }
    camera = {media, video};
    media.getVideoTracks()[0].onended = () => { live(); tell("The camera was turned off, or another program took it.", true) };
    video.muted = video.playsInline = true; video.srcObject = media;
    document.body.append(video);
    await video.play();
    if (wish !== wishes) return;
  } catch (error) {
    if (wish !== wishes) return;
    stopCamera();
    tell(NO_CAMERA[error.name] || `The camera cannot be used here (${error.message}). Choose a picture instead.`, true);
    return;
  }
  $("camera").setAttribute("aria-pressed", true);
  watchCamera(camera);
}

// One picture after the other, each when the one before it is answered.
async function watchCamera(mine) {
  let count = 0, began = performance.now();
  tell("The models on the board answer what this camera sees.");
  while (camera === mine) {
    try {
      const {blob} = await jpeg(mine.video, mine.video.videoWidth, mine.video.videoHeight, CAMERA_SIDE, .85);
      const answer = blob && await answered(blob);
      if (camera !== mine) return;
      if (answer) { await show(blob, answer); count++ }
      await pause(answer ? .12 : .4);
    } catch (error) { stopCamera(); tell(error.message, true); return }
    if (performance.now() - began > 5000) {
      tell(`The models on the board answer what this camera sees, ${(1000 * count / (performance.now() - began)).toFixed(1)} pictures a second.`);
      count = 0; began = performance.now();
    }
  }
}

function stopCamera() {
  wishes++;
  if (!camera) return;
  camera.media.getTracks().forEach(track => track.stop());
  camera.video.remove(); camera = null;
  $("camera").setAttribute("aria-pressed", false);
}

function setUpOwn() {
  invite();
  $("own").onclick = () => $("file").click();
  $("camera").onclick = startCamera;
  $("back").onclick = live;
  for (const id of ["file", "shoot"]) $(id).onchange = event => { look(event.target.files[0]); event.target.value = "" };
  addEventListener("paste", event => {
    const file = [...event.clipboardData.files].find(item => item.type.startsWith("image/")) || event.clipboardData.files[0];
    if (file) look(file); else tell("There is no picture on the clipboard.", true);
  });
  const over = on => event => { event.preventDefault(); $("drop").hidden = !on };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", event => { if (!event.relatedTarget) over(false)(event) });
  addEventListener("drop", event => {
    over(false)(event);
    const file = event.dataTransfer.files[0];
    if (file) look(file); else tell("That is not a file. Save the picture, and drop its file here.", true);
  });
}
