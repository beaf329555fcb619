// Boxes are those of the very picture that is shown. The first model's are full lines, the second one's dashes: where both see the same, they lie on each other, named once.
const STROKES = [["#2dd4bf", []], ["#f5b04c", [7, 5]]];
let pictured = {boxes: []};

function counted(boxes) {
  if (state.chain) return boxes.map(([label]) => label).join(" · ") || "nothing";
  const counts = new Map();
  for (const [label] of boxes) counts.set(label, (counts.get(label) || 0) + 1);
  return [...counts].map(([label, count]) => `${count} ${label}`).join(" · ") || "nothing";
}

function drawBoxes() {
  if (!state) return;
  const canvas = $("boxes"), wide = canvas.clientWidth, high = canvas.clientHeight, dots = window.devicePixelRatio || 1;
  canvas.width = wide * dots; canvas.height = high * dots;
  const pen = canvas.getContext("2d"), img = $("img"), given = state.sizes.page || state.sizes.camera;
  const [w, h] = img.naturalWidth ? [img.naturalWidth, img.naturalHeight] : given || [wide, high];
  const scale = Math.min(wide / w, high / h), left = (wide - w * scale) / 2, top = (high - h * scale) / 2;
  const x = v => left + v * w * scale, y = v => top + v * h * scale;
  pen.scale(dots, dots);
  // Together with its picture: the image below may be painted before its boxes are.
  if (pictured.boxes.length && !own) pen.drawImage(img, left, top, w * scale, h * scale);
  pen.font = "600 13px ui-sans-serif, system-ui, sans-serif"; pen.textBaseline = "middle"; pen.lineWidth = 2;
  const each = take => pictured.boxes.forEach((boxes, index) => (boxes || []).forEach(box => take(box, ...STROKES[index], index)));
  each(([, , x0, y0, x1, y1, points], color, dash) => {
    pen.strokeStyle = pen.fillStyle = color; pen.setLineDash(dash);
    pen.strokeRect(x(x0), y(y0), x(x1) - x(x0), y(y1) - y(y0));
    for (const [px, py] of points) { pen.beginPath(); pen.arc(x(px), y(py), 3, 0, 7); pen.fill() }
  });
  each(([label, value, x0, y0, , y1], color, dash, index) => {
    if (index && pictured.boxes[0] && seen().agree) return;
    const text = state.chain ? label : `${label} ${score({}, value, 0)}`, size = pen.measureText(text).width + 10;
    const under = index ? y(y1) - 19 : Math.max(y(y0) - 19, 0);
    pen.fillStyle = color; pen.fillRect(x(x0) - 1, under, size, 19);
    pen.fillStyle = "#0b0d0e"; pen.fillText(text, x(x0) + 4, under + 10);
  });
}
