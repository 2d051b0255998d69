/*
 * The page at /docs/: asks for an inference key, lists what is served, and shows the document of what is chosen.
 * All addresses are relative to the page. Names come from the runtime and are only ever put in as text.
 */
const KEY = 'switchback-inference-key';
const RUNTIME = 'runtime';
const choice = document.querySelector('#choice');
const entry = document.querySelector('#entry');
const input = document.querySelector('#key');
const use = document.querySelector('#use');
const forget = document.querySelector('#forget');
const notice = document.querySelector('#notice');
const place = document.querySelector('#document');

let key = sessionStorage.getItem(KEY) ?? '';
let shown = null;
let listed = '';
/** Counts what makes an answer that is still to come one that nobody wants any more. */
let turn = 0;

entry.addEventListener('submit', event => {
  event.preventDefault();
  key = input.value.trim();
  void list();
});
forget.addEventListener('click', () => reset('Enter an inference key of this environment.'));
choice.addEventListener('change', () => {
  location.hash = choice.value;
});
addEventListener('hashchange', () => void list());
// What is served may have changed meanwhile.
addEventListener('focus', () => {
  if (key !== '') void list();
});
void list();

/** Asks what is served, and shows what the address names of it, else the first. */
async function list() {
  if (key === '') return reset('Enter an inference key of this environment.');
  const mine = ++turn;
  const { entries, status, error } = await ask();
  // Of a key that is not the one any more, or asked again since.
  if (mine !== turn) return;
  if (status === 401) return reset(error);
  if (entries === undefined) {
    notice.textContent = error;
    return;
  }
  sessionStorage.setItem(KEY, key);
  showEntry(true);
  fill([...choicesOf(entries), { value: RUNTIME, text: 'the runtime itself' }]);
  const wanted = location.hash.slice(1);
  const isThere = [...choice.options].some(({ value }) => value === wanted);
  choice.value = isThere ? wanted : choice.options[0].value;
  notice.textContent = entries.length === 0 ? 'No model is served here yet.' : '';
  show(choice.value);
}

/** What is served; without `entries` it could not be asked, and `error` says why. Never rejects. */
async function ask() {
  try {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch('../v2/repository/index', { method: 'POST', headers });
    if (response.ok) return { entries: await response.json() };
    const { error } = await response.json();
    return { status: response.status, error };
  } catch {
    return { error: 'The runtime does not answer.' };
  }
}

/** Each model by its route, then each of its versions. */
function choicesOf(entries) {
  const models = Map.groupBy(entries, ({ name }) => name);
  return [...models].flatMap(([name, versions]) => [
    { value: name, text: name },
    ...versions.map(({ version, state }) => ({
      value: `${name}/${version}`,
      text: `${name} ${version}${state === 'READY' ? '' : ` (${state.toLowerCase()})`}`,
    })),
  ]);
}

function fill(choices) {
  const list = JSON.stringify(choices);
  if (list === listed) return;
  listed = list;
  choice.replaceChildren(...choices.map(({ value, text }) => new Option(text, value)));
  choice.disabled = false;
}

function show(chosen) {
  if (chosen === shown) return;
  shown = chosen;
  const node = document.createElement('div');
  place.replaceChildren(node);
  const ui = SwaggerUIBundle({
    url: new URL(addressOf(chosen), location.href).href,
    domNode: node,
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    deepLinking: false,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    requestInterceptor: request => {
      if (request.loadSpec) request.headers.authorization = `Bearer ${key}`;
      return request;
    },
    onComplete: () => ui.preauthorizeApiKey('inferenceKey', key),
  });
}

function addressOf(chosen) {
  if (chosen === RUNTIME) return '../openapi.json';
  const [model, version] = chosen.split('/').map(encodeURIComponent);
  const path = version === undefined ? model : `${model}/versions/${version}`;
  return `../v2/models/${path}/openapi.json`;
}

/** Nothing of what was shown stays. */
function reset(why) {
  turn++;
  key = '';
  shown = null;
  listed = '';
  sessionStorage.removeItem(KEY);
  choice.replaceChildren();
  choice.disabled = true;
  place.replaceChildren();
  showEntry(false);
  notice.textContent = why;
  input.focus();
}

function showEntry(isEntered) {
  input.value = '';
  input.parentElement.hidden = isEntered;
  use.hidden = isEntered;
  forget.hidden = !isEntered;
}
