// The dashboard of one tenant. On the bare domain it only asks which tenant; on a tenant's host it works on the data API of
// the same origin. The credential lives in this module alone: never in storage, a URL or the page.

const byId = (id) => document.getElementById(id);
const pageSize = 50;

let credential = "";
let collection = "";
let next = null;

/** Sends a request to the data API; an error carries the problem document's own words. */
async function api(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(`${answer.detail || answer.title || `the server answered ${response.status}`} (request ${
      response.headers.get("Caisson-Request-Id") || "unknown"})`);
  }
  return answer;
}

function say(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

/** Runs what a click or a form asked for and shows why when it fails. */
const attempt = (action) => async (event) => {
  event?.preventDefault();
  say("");
  try {
    await action(event);
  } catch (error) {
    say(error.message);
  }
};

function show(id) {
  for (const part of ["find-tenant", "sign-in", "workspace"]) byId(part).hidden = part !== id;
  byId("sign-out").hidden = id !== "workspace";
  byId(id).querySelector("input")?.focus();
}

function cell(...content) {
  const td = document.createElement("td");
  td.append(...content);
  return td;
}

function button(text, action) {
  const made = document.createElement("button");
  made.textContent = text;
  made.addEventListener("click", attempt(action));
  return made;
}

function recordRow(record) {
  const row = document.createElement("tr");
  const remove = button("Delete", async () => {
    if (!confirm(`Delete record ${record.id}?`)) return;
    await api("DELETE", `/v1/records/${collection}/${record.id}`);
    await open(collection);
  });
  remove.className = "delete";
  remove.setAttribute("aria-label", `Delete record ${record.id}`);
  row.append(cell(record.id), cell(new Date(record.updated).toLocaleString()), cell(JSON.stringify(record.value)), cell(remove));
  return row;
}

async function loadPage() {
  const query = new URLSearchParams({ limit: pageSize, ...(next ? { cursor: next } : {}) });
  const page = await api("GET", `/v1/records/${collection}?${query}`);
  byId("records").append(...page.records.map(recordRow));
  next = page.next;
  byId("more").hidden = !next;
  byId("empty").hidden = byId("records").childElementCount > 0;
}

async function listCollections() {
  const collections = [];
  let after = null;
  do {
    const page = await api("GET", `/v1/records${after ? `?cursor=${after}` : ""}`);
    collections.push(...page.collections);
    after = page.next;
  } while (after);
  byId("collections").replaceChildren(...collections.map(({ name, count }) => {
    const item = document.createElement("li");
    const choose = button(`${name} (${count})`, () => open(name));
    if (name === collection) choose.setAttribute("aria-current", "true");
    item.append(choose);
    return item;
  }));
}

async function open(name) {
  collection = name;
  next = null;
  byId("records").replaceChildren();
  byId("records-title").textContent = `Records of ${name}`;
  byId("create-record").hidden = false;
  await Promise.all([loadPage(), listCollections()]);
}

async function signIn(event) {
  credential = new FormData(event.target).get("credential").trim();
  let identity;
  try {
    identity = await api("GET", "/v1/whoami");
  } catch (error) {
    credential = "";
    throw error;
  }
  event.target.reset();
  byId("tenant").textContent = identity.tenant;
  byId("identity").replaceChildren(...[["Signed in as", identity.subject], ["With", identity.credential],
    ["May", identity.scopes.join(", ")]].flatMap(([term, text]) => {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = term;
    dd.textContent = text;
    return [dt, dd];
  }));
  show("workspace");
  await listCollections();
}

function signOut() {
  credential = "";
  collection = "";
  next = null;
  byId("tenant").textContent = "";
  for (const part of ["records", "collections", "identity"]) byId(part).replaceChildren();
  for (const part of ["create-record", "more", "empty"]) byId(part).hidden = true;
  show("sign-in");
}

async function createRecord(event) {
  const value = new FormData(event.target).get("value");
  JSON.parse(value);
  await api("POST", `/v1/records/${collection}`, value);
  event.target.reset();
  await open(collection);
}

async function start() {
  const { deployment, domain } = await (await fetch("/dashboard/deployment.json")).json();
  document.title = `${deployment} dashboard`;
  byId("deployment").textContent = deployment;
  byId("find-tenant").addEventListener("submit", attempt((event) => {
    const slug = new FormData(event.target).get("slug");
    location.href = `${location.protocol}//${slug}.${location.host}/dashboard/`;
  }));
  byId("sign-in").addEventListener("submit", attempt(signIn));
  byId("sign-out").addEventListener("click", signOut);
  byId("open-collection").addEventListener("submit", attempt((event) => open(new FormData(event.target).get("collection"))));
  byId("create-record").addEventListener("submit", attempt(createRecord));
  byId("more").addEventListener("click", attempt(loadPage));
  show(location.hostname === domain ? "find-tenant" : "sign-in");
}

attempt(start)();
