// Keeps the page as it is on the server: the feed says that something moved, then the page is fetched and swapped in.
// The server has escaped everything; without this script the pages work and are reloaded by hand.
"use strict";

const main = document.getElementById("main");
const link = document.getElementById("link");
const zone = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.title = `${at.toLocaleString()} (${zone.format(at)})`;
  }
}

function showAll() {
  const all = document.getElementById("all");
  const kept = sessionStorage.getItem("all") === "1";
  if (!all) return;
  all.checked = kept;
  main.classList.toggle("every-step", kept);
  all.addEventListener("change", () => {
    sessionStorage.setItem("all", all.checked ? "1" : "0");
    main.classList.toggle("every-step", all.checked);
  });
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const open = [...main.querySelectorAll("details[open][id]")].map((one) => one.id);
  const before = document.getElementById("headline")?.textContent;
  const held = document.activeElement?.id;
  main.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (held && main.contains(document.getElementById(held))) document.getElementById(held).focus({ preventScroll: true });
  const now = document.getElementById("headline")?.textContent;
  if (now && now !== before) document.getElementById("news").textContent = now;
  dress();
}

function dress() {
  localise(main);
  showAll();
}

function follow(url) {
  const feed = new EventSource(url);
  let waiting = null;
  feed.addEventListener("moved", () => {
    waiting ??= setTimeout(() => { waiting = null; refresh(); }, 250);
  });
  feed.addEventListener("open", () => { link.textContent = "live"; });
  feed.addEventListener("error", () => { link.textContent = "connecting again"; });
}

function signInByLink() {
  const form = document.getElementById("sign-in");
  const token = decodeURIComponent(location.hash.slice(1));
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
}

dress();
signInByLink();
if (document.body.dataset.live) follow(document.body.dataset.live);
