import {Credentials, isDevelopment} from '/console/credentials.js';
import {announce, element} from '/console/elements.js';
import {SharedList} from './list.js';
import {enter} from './rooms.js';

const FIRST_USER = 'alice';
const SECOND_USER = 'bob';

const parameters = new URLSearchParams(location.search);
const room = parameters.get('room') || undefined;
const by = id => document.getElementById(id);

async function open(credentials) {
  by('problem').textContent = '';
  try {
    const token = await credentials.token();
    if (room) {
      await enter(room, credentials);
    }
    by('sign-in').hidden = true;
    show(new SharedList(credentials, token, room), credentials.user);
  } catch (error) {
    by('problem').textContent = error.message;
  }
}

function show(list, user) {
  by('list-title').textContent = room ? `Room ${room}, as ${user}` : `The list of ${user}`;
  document.title = `${by('list-title').textContent} – Replistream demo`;
  by('list-panel').hidden = false;
  by('share-panel').hidden = false;

  showState(list);
  list.subscribe(todos => showTodos(list, todos, user));
  list.watchPending(showPending);
  list.watchPresent(showPresent);
  by('add').onsubmit = event => {
    event.preventDefault();
    const text = by('text').value.trim();
    if (text !== '') {
      list.add(text, user);
    }
    by('add').reset();
  };
  showShare(user);
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

function showTodos(list, todos, user) {
  const focused = document.activeElement?.closest('[data-key]') && document.activeElement;
  by('todos').replaceChildren(...todos.map(todo => item(list, todo, user)));
  by('empty').hidden = todos.length > 0;
  if (focused) { // its element is gone, and another stands in its place
    const {key} = focused.closest('[data-key]').dataset;
    const next = [...by('todos').children].find(({dataset}) => dataset.key === key);
    (next?.querySelector(focused.localName) ?? by('text')).focus();
  }
}

function item(list, {key, text, done, by: author}, user) {
  const box = element('input', {type: 'checkbox', checked: done});
  box.onchange = () => list.setDone(key, box.checked);
  const remove = element('button', {type: 'button', className: 'small', textContent: 'Delete'});
  remove.setAttribute('aria-label', `Delete ${text}`);
  remove.onclick = () => list.remove(key);
  const note = element('small', {textContent: author === user ? '' : `by ${author}`});
  return element('li', {dataset: {key}}, element('label', {}, box, element('span', {textContent: text})), note, remove);
}

function showShare(user) {
  const link = pairs => `/demo?${new URLSearchParams(pairs)}`;
  const of = name => (isDevelopment ? {user: name} : {});
  const other = !room ? user : user === FIRST_USER ? SECOND_USER : FIRST_USER;
  by('second').textContent = isDevelopment ? `Open a second window as ${other}` : 'Open a second window';
  by('second').href = link({...of(other), ...(room && {room})});
  if (room && navigator.clipboard) {
    by('copy').hidden = false;
    by('copy').onclick = async () => {
      try {
        await navigator.clipboard.writeText(new URL(link({room}), location.href).href);
        announce('The link is in the clipboard.');
      } catch {
        announce('The browser does not let this page use the clipboard: copy the address instead.');
      }
    };
  }
  by('open-room').onsubmit = event => {
    event.preventDefault();
    location.assign(link({...of(user), room: by('room').value}));
  };
}

if (isDevelopment) {
  open(Credentials.ofUser(parameters.get('user') || FIRST_USER));
} else {
  by('sign-in').hidden = false;
  by('sign-in').onsubmit = event => {
    event.preventDefault();
    try {
      open(Credentials.ofToken(by('token').value));
    } catch (error) {
      by('problem').textContent = error.message;
    }
  };
}
