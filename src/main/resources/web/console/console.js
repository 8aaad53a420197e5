import {Credentials, isDevelopment} from './credentials.js';
import {announce} from './elements.js';
import {Panel} from './panel.js';

const FIRST_USER = 'demo';

/** What is shown is true within a second, whoever connects or leaves elsewhere. */
const REFRESH_MS = 500;

const panels = new Map();
const form = document.getElementById('connect');
const input = document.getElementById('credential');
const problem = document.getElementById('connect-error');

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
  remember();
}

function remove(panel) {
  panel.disconnect();
  panel.element.remove();
  panels.delete(panel.user);
  announce(`${panel.user} is gone.`);
  input.focus();
  remember();
}

/** Keeps the users in the address, so that a reload or a copied link shows the same. */
function remember() {
  if (isDevelopment) {
    const users = [...panels.keys()].map(user => ['user', user]);
    history.replaceState(null, '', users.length > 0 ? `?${new URLSearchParams(users)}` : location.pathname);
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
  const users = new URLSearchParams(location.search).getAll('user').filter(Boolean);
  new Set(users.length > 0 ? users : [FIRST_USER]).forEach(user => open(Credentials.ofUser(user)));
} else {
  document.getElementById('credential-label').textContent = 'Token (it stays in this page’s memory)';
  input.type = 'password';
}
