import {announce, element} from './elements.js';

const place = document.getElementById('rules');
let shown;

/** Says that the server's file of rules has changed and can't be used, as long as that is so. */
export async function refreshRules() {
  try {
    const {staleness} = await (await fetch('/development/rules', {cache: 'no-store'})).json();
    show(staleness);
  } catch {
    // the server is away, which the panels say
  }
}

function show(staleness) {
  if (staleness === shown) {
    return;
  }
  shown = staleness;
  if (staleness === undefined) {
    place.replaceChildren();
    announce('The rules are loaded.');
    return;
  }
  const title = element('strong', {textContent: 'The new rules do not load, so those from before stay. '});
  place.replaceChildren(title, element('code', {textContent: staleness}));
}
