import {Credentials, isDevelopment} from '/console/credentials.js';
import {announce, element} from '/console/elements.js';
import {codeOfAddress, makeLink} from '/console/links.js';
import {takePlace} from '/console/places.js';
import {SharedList} from './list.js';
import {DeadLinkError, enter, join} from './rooms.js';

const FIRST_USER = 'alice';

const parameters = new URLSearchParams(location.search);
const code = codeOfAddress();
const by = id => document.getElementById(id);

/** Opens the list that the address names; by a link, the visitor joins its room first. */
async function open(credentials) {
  by('problem').textContent = '';
  try {
    const token = await credentials.token();
    const room = code ? await join(code, credentials) : parameters.get('room') || undefined;
    if (code) {
      history.replaceState(null, '', address(credentials.user, room)); // nobody is to copy the code from there
    }
    const {role, isNew} = room ? await enter(room, credentials) : {};
    by('sign-in').hidden = true;
    by('joining').hidden = true;
    const {transports, giveBack} = await takePlace('demo');
    const list = new SharedList(credentials, token, room, transports, why => (by('problem').textContent = why));
    list.stream.addEventListener('expired', giveBack);
    show(list, credentials.user, room);
    showShare(credentials, room, role);
    if (isNew) {
      await share(credentials, room);
    }
  } catch (error) {
    by('sign-in').hidden ||= error instanceof DeadLinkError;
    by('joining').hidden ||= by('sign-in').hidden;
    by('problem').textContent = error.message;
  }
}

/** The demo with a list. */
function address(user, room) {
  return `/demo?${new URLSearchParams({...(isDevelopment && {user}), ...(room && {room})})}`;
}

function show(list, user, room) {
  by('list-title').textContent = room ? `Room ${room}, as ${user}` : `The list of ${user}`;
  document.title = `${by('list-title').textContent} – Replistream demo`;
  by('list-panel').hidden = false;

  showState(list);
  list.subscribe(todos => showTodos(list, todos));
  list.watchPending(showPending);
  list.watchPresent(showPresent);
  by('add').onsubmit = event => {
    event.preventDefault();
    const text = by('text').value.trim();
    if (text !== '') {
      list.add(text);
    }
    by('add').reset();
  };
}

function showState(list) {
  const say = state => {
    by('state').dataset.state = state;
    by('state').textContent = state;
  };
  list.stream.addEventListener('connected', () => say('connected'));
  list.stream.addEventListener('offline', () => say('offline'));
  list.stream.addEventListener('expired', () => say('expired'));
  by('offline').onchange = ({target}) => {
    say(target.checked ? 'offline' : 'connecting');
    list.setOffline(target.checked);
  };
}

function showPending(count) {
  const changes = count === 1 ? '1 change waits' : `${count} changes wait`;
  by('saved').textContent = count === 0 ? 'The server has everything.' : `${changes} for the server.`;
}

function showPresent({count, users}) {
  const more = count > users.length ? ` and ${count - users.length} more` : '';
  by('present').textContent = count === 0 ? '' : `Here now: ${users.map(({userId}) => userId).join(', ')}${more}.`;
}

function showTodos(list, todos) {
  const focused = document.activeElement?.closest('[data-todo]') && document.activeElement;
  by('todos').replaceChildren(...todos.map(todo => item(list, todo)));
  by('empty').hidden = todos.length > 0;
  if (focused) { // its element is gone, and another stands in its place
    const {todo} = focused.closest('[data-todo]').dataset;
    const next = [...by('todos').children].find(({dataset}) => dataset.todo === todo);
    (next?.querySelector(focused.localName) ?? by('text')).focus();
  }
}

function item(list, {id, text, completed}) {
  const box = element('input', {type: 'checkbox', checked: completed});
  box.onchange = () => list.setCompleted(id, box.checked);
  const remove = element('button', {type: 'button', className: 'small', textContent: 'Delete'});
  remove.setAttribute('aria-label', `Delete ${text}`);
  remove.onclick = () => list.remove(id);
  return element('li', {dataset: {todo: id}}, element('label', {}, box, element('span', {textContent: text})), remove);
}

function showShare(credentials, room, role) {
  by('share-panel').hidden = false;
  by('second').href = address(credentials.user, room);
  by('make-link').hidden = role !== 'owner';
  by('make-link').onclick = () => share(credentials, room);
  by('only-owners').hidden = !room || role === 'owner';
  by('open-room').onsubmit = event => {
    event.preventDefault();
    location.assign(address(credentials.user, by('room').value));
  };
}

/** Makes a link by which others join the room, and shows it. */
async function share(credentials, room) {
  by('share-problem').textContent = '';
  try {
    const {href, uses, expiresAt} = await makeLink(room, 'writer', credentials);
    const until = new Date(expiresAt).toLocaleDateString('en-GB', {day: 'numeric', month: 'long'});
    by('link-note').textContent = `Whoever opens it may join and write: up to ${uses} people, until ${until}.`;
    by('link').value = href;
    by('link').onfocus = () => by('link').select();
    by('guest').href = href;
    by('guest').hidden = false;
    by('link-row').hidden = false;
    by('copy').hidden = !navigator.clipboard; // which is for pages over https, and of this machine
    by('copy').onclick = () => copy(href);
  } catch (error) {
    by('share-problem').textContent = error.message;
  }
}

async function copy(href) {
  try {
    await navigator.clipboard.writeText(href);
    announce('The link is in the clipboard.');
  } catch {
    by('link').select();
    announce('The browser does not let this page use the clipboard: the link is selected.');
  }
}

/** Asks who the visitor is: by a name where the server signs tokens for all, else by a token. */
function ask() {
  by('joining').hidden = !code;
  by('credential-label').textContent = isDevelopment ? 'Your name' : 'Token (it stays in this page’s memory)';
  if (isDevelopment) {
    by('credential').maxLength = 128;
    by('credential').pattern = '.*\\S.*'; // not blank
  } else {
    by('credential').type = 'password';
  }
  by('open').textContent = code ? 'Join' : 'Open the list';
  by('sign-in').hidden = false;
  by('sign-in').onsubmit = async event => {
    event.preventDefault();
    by('open').disabled = true;
    try {
      const text = by('credential').value;
      await open(isDevelopment ? Credentials.ofUser(text.trim()) : Credentials.ofToken(text));
    } catch (error) {
      by('problem').textContent = error.message;
    }
    by('open').disabled = false;
  };
  by('credential').focus();
}

if (isDevelopment && !code) {
  open(Credentials.ofUser(parameters.get('user') || FIRST_USER));
} else {
  ask();
}
addEventListener('hashchange', () => location.reload()); // another link was put in the address bar
