// The labels: five rows a model, and what stands on the picture.
function short(model) {
  const parts = model.name.split(".");
  if (parts.length > 2 && !state.chain) return {title: parts.slice(2).join("."), rest: model.backend};
  return {title: state.chain ? parts[0] : model.name, rest: model.backend};
}

function setUp() {
  document.title = `${state.models[0].name.split(".")[0]} · edgenet`;
  const names = state.models.map(short), same = names.length > 1 && names[0].title === names[1].title;
  const titles = names.map(name => same ? name.rest : name.title);
  state.models.forEach((model, index) => {
    const box = make("div"), who = make("div", "who");
    who.title = `${model.name}, ${model.runtime}, ${model.threads} threads`;
    who.append(make("b", "", titles[index]), make("span", "soft"));
    box.append(who);
    for (let i = 0; i < 5; i++) {
      const row = make("div", "row"), image = make("img");
      image.alt = ""; image.hidden = true;
      row.append(make("i"), image, make("span"), make("span"));
      box.append(row);
    }
    $("models").append(box);
  });
  $("models").classList.toggle("two", names.length > 1);
  if (names.length < 2 || state.chain) return;
  [["a", titles[0]], ["b", titles[1]], ["both", "both"]].forEach(([mode, title], index) => {
    const button = make("button", "", title);
    button.title = `Press ${index + 1}`; button.dataset.mode = mode;
    button.onclick = () => act({do: "mode", mode});
    $("modes").append(button);
  });
  $("choice").hidden = false;
}

function drawName() {
  const builds = state.models.map(model => model.name.split(".").slice(1).join(" ")).join(" against ");
  const chain = state.models.map(model => model.name.split(".").join(" ")).join(" → ");
  const what = state.chain ? [chain] : [state.models[0].name.split(".")[0], builds];
  $("what").textContent = [...what, state.source.name].filter(Boolean).join(" · ");
}

function drawAnswers() {
  const view = seen(), differ = view.agree === false;
  view.models.forEach((model, index) => drawModel($("models").children[index], model, differ));
  $("whose").textContent = own ? "Answers to your picture" : "Answers";
  $("view").classList.toggle("differ", differ);
  drawChips(view.models.filter(model => model.top && model.top.length), differ);
  drawAgreement(differ);
}

function drawModel(box, model, differ) {
  box.classList.toggle("off", !model.top); box.classList.toggle("other", differ);
  box.querySelector(".who span").textContent = model.invoke_ms == null ? "off" : ms(model.invoke_ms);
  box.querySelectorAll(".row").forEach((row, i) => {
    const item = model.top && model.top[i], [bar, image, label, share] = row.children;
    bar.style.width = item ? 100 * Math.max(item[1], 0) + "%" : 0;
    label.textContent = item ? item[0] : "";
    share.textContent = !item || model.boxes && item[2] < 0 ? "" : score(model, item[1]);
    row.style.visibility = item || !model.top ? "" : "hidden";
    thumb(image, model, item);
  });
}

let chipped = "";
function drawChips(asked, differ) {
  const told = JSON.stringify([asked.map(model => [model.top[0], model.boxes?.map(box => box[0])]), differ]);
  if (told === chipped) return;
  chipped = told;
  const shown = differ ? asked : asked.slice(0, 1);
  $("tag").replaceChildren(...shown.map(model => {
    const chip = make("div", "chip"), image = make("img");
    image.alt = ""; image.hidden = true;
    thumb(image, model, model.top[0][2] < 0 ? model.top[1] : model.top[0]);
    const value = model.boxes ? "" : score(model, model.top[0][1], 0);
    const name = model.boxes ? counted(model.boxes) : model.top[0][0];
    chip.append(image, make("span", "", name), make("i", "", value + (shown.length > 1 ? ` ${short(model).title}` : "")));
    return chip;
  }));
}

function drawAgreement(differ) {
  const {compared, disagreed} = state.counts, badge = $("agreed");
  if (own ? own.answer.agree == null : !compared) { badge.textContent = ""; badge.className = ""; return }
  badge.className = "badge" + (differ ? " warn" : "");
  if (own) { badge.textContent = differ ? "they disagree" : "they agree"; badge.title = ""; return }
  const share = 100 * (1 - disagreed / compared);
  badge.textContent = (differ ? "they disagree · " : "") + `agree ${share === 100 ? "100" : share.toFixed(1)} %`;
  badge.title = `${disagreed} of ${compared} frames were answered differently`;
}

// A gallery's picture beside its name; each is fetched once.
const thumbs = new Map();
async function thumb(image, model, item) {
  const index = model.task === "embedding" && item && item[2] >= 0 ? String(item[2]) : "";
  if ((image.dataset.index || "") === index) return;
  image.dataset.index = index; image.hidden = true;
  if (!index) return;
  if (!thumbs.has(index)) thumbs.set(index, ask(`/gallery/${index}`).then(async answer => answer.ok ? URL.createObjectURL(await answer.blob()) : "", () => ""));
  const url = await thumbs.get(index);
  if (url && image.dataset.index === index) { image.src = url; image.hidden = false }
}
