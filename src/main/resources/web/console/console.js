import {Credentials, isDevelopment} from './credentials.js';
import {announce} from './elements.js';
import {Inspector} from './inspector.js';
import {Panel} from './panel.js';
import {refreshRules} from './rules.js';

const FIRST_USER = 'demo';

/** What is shown is true within a second, whoever connects or leaves elsewhere. */
const REFRESH_MS = 500;
const RULES_MS = 1_000;

const panels = new Map();
const form = document.getElementById('connect');
const input = document.getElementById('credential');
const problem = document.getElementById('connect-error');
const inspector = new Inspector(document.getElementById('inspector'), FIRST_USER, remember);

function open(credentials) {
  const known = panels.get(credentials.user);
  if (known) {
    known.focus();
    return;
  }
  const panel = new Panel(credentials, remove);
  panels.set(panel.user, panel);
  document.getElementById('panels').append(panel.element);
  panel.connect();
  usersChanged();
}

function remove(panel) {
  panel.disconnect();
  panel.element.remove();
  panels.delete(panel.user);
  announce(`${panel.user} is gone.`);
  input.focus();
  usersChanged();
}

function usersChanged() {
  inspector.setUsers([...panels.values()].map(panel => panel.credentials));
  remember();
}

/** Keeps the users, and whether mutations are shown, in the address, so that a reload or a copied link shows the same. */
function remember() {
  if (isDevelopment) {
    const shown = [...panels.keys()].map(user => ['user', user]).concat(inspector.isOpen ? [['mutations', 'shown']] : []);
    history.replaceState(null, '', shown.length > 0 ? `?${new URLSearchParams(shown)}` : location.pathname);
  }
}

form.addEventListener('submit', event => {
  event.preventDefault();
  problem.textContent = '';
  try {
    open(isDevelopment ? Credentials.ofUser(input.value) : Credentials.ofToken(input.value));
    form.reset();
  } catch (error) {
    problem.textContent = error.message;
  }
});

setInterval(() => document.hidden || panels.forEach(panel => panel.refresh()), REFRESH_MS);

if (isDevelopment) {
  document.getElementById('mode').textContent = 'development mode: this machine only';
  input.placeholder = 'such as alice';
  input.maxLength = 128;
  document.getElementById('demo').href = '/demo?user=alice&room=plan';
  const parameters = new URLSearchParams(location.search);
  const users = parameters.getAll('user').filter(Boolean);
  const showsMutations = parameters.has('mutations');
  new Set(users.length > 0 ? users : [FIRST_USER]).forEach(user => open(Credentials.ofUser(user)));
  if (showsMutations) {
    inspector.open();
  }
  refreshRules();
  setInterval(() => document.hidden || refreshRules(), RULES_MS);
} else {
  document.getElementById('credential-label').textContent = 'Token (it stays in this page’s memory)';
  input.type = 'password';
}
