// What the board can look at, to choose from, and why it cannot look at the rest.
let lacking = [];

async function listSources() {
  const answer = await ask("/sources").catch(() => null), menu = $("sources");
  if (!answer || !answer.ok || document.activeElement === menu && menu.options.length) return;
  const found = await answer.json();
  lacking = found.lacking.map(item => [item.name, item.why]);
  menu.replaceChildren(...found.offers.map(item => new Option(item.name, item.id)));
  drawSource();
}

function drawSource() {
  const menu = $("sources");
  if (!menu.disabled && document.activeElement !== menu && menu.value !== state.source.id) menu.value = state.source.id;
}

async function choose(event) {
  const menu = event.target, name = menu.selectedOptions[0].text;
  live();
  menu.disabled = true;
  tell(`Changing to ${name} …`);
  let why = "";
  try {
    const answer = await ask("/do", {method: "POST", body: JSON.stringify({do: "source", id: menu.value})});
    if (!answer.ok) why = (await answer.text()).trim();
  } catch { why = "the demo did not answer" }
  menu.disabled = false;
  tell(why ? `${name} cannot be used: ${why}. The previous source continues.` : `Now looking at ${name}.`, !!why);
  await pause(.5);
  menu.value = state.source.id; menu.focus();
}

function setUpSources() {
  $("sources").onchange = choose;
  listSources();
  setInterval(() => { if (key && !document.hidden) listSources() }, 15000);
}
