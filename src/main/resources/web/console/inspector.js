import {ReplicacheSSE} from '/replistream.js';
import {API, Credentials, isDevelopment} from './credentials.js';
import {element, parts, timeElement} from './elements.js';

const MAX_ROWS = 300;
const EVERYBODY = ''; // the id of no user
const MAX_PREVIEW = 200;

/** What becomes of mutations, live: those of one user, or in development mode those of all. It is a stream only while it is open. */
export class Inspector {
  #element;
  #parts;
  #users = []; // their credentials
  #asker; // whose stream shows those of all, where nobody is connected
  #stream;
  #watched;
  #held; // what came since Pause

  /**
   * @param {HTMLDetailsElement} place
   * @param {string} asker the user who asks for the mutations of all while no other is connected
   * @param {() => void} onToggle told when it was opened or closed
   */
  constructor(place, asker, onToggle) {
    this.#element = place;
    this.#parts = parts(place);
    this.#asker = asker;
    const {whose, outcome, text, pause, clear} = this.#parts;
    place.ontoggle = () => {
      this.#watch();
      onToggle();
    };
    whose.onchange = () => this.#watch();
    outcome.onchange = () => this.#filter();
    text.oninput = () => this.#filter();
    pause.onclick = () => this.#pause();
    clear.onclick = () => this.#clear();
    this.#parts.hint.hidden = !isDevelopment;
    this.setUsers([]);
  }

  get isOpen() {
    return this.#element.open;
  }

  open() {
    this.#element.open = true;
  }

  /** Offers the mutations of these users. */
  setUsers(users) {
    this.#users = users;
    const {whose} = this.#parts;
    const before = whose.value;
    const names = users.map(({user}) => user);
    whose.replaceChildren(
      ...(isDevelopment ? [new Option('all users', EVERYBODY)] : []),
      ...names.map(user => new Option(user, user)),
    );
    if (names.includes(before)) {
      whose.value = before;
    }
    whose.parentElement.hidden = whose.length === 0;
    this.#watch();
    this.#showEmpty();
  }

  /** Sees to it that there is a stream of what is chosen, and of nothing else. */
  #watch() {
    const {whose} = this.#parts;
    const wanted = this.isOpen && whose.length > 0 ? whose.value : undefined;
    if (wanted === this.#watched && (wanted === undefined || this.#stream)) {
      return;
    }
    this.#stream?.disconnect();
    this.#stream = undefined;
    this.#watched = wanted;
    if (wanted !== undefined) {
      this.#connect(wanted);
    } else {
      this.#say('disconnected');
    }
  }

  /** By a WebSocket, which takes none of the few connections that a browser has to a host. */
  #connect(user) {
    const own = this.#users.find(each => each.user === user);
    const credentials = own ?? this.#users[0] ?? Credentials.ofUser(this.#asker);
    const stream = new ReplicacheSSE({
      url: API,
      auth: credentials.fresh,
      mutations: own ? 'own' : 'all',
      transports: ['websocket'],
      environment: {location: undefined}, // the panels warn of rejections
    });
    this.#stream = stream;
    this.#say('connecting');
    for (const state of ['connected', 'offline', 'expired']) {
      stream.addEventListener(state, () => this.#stream === stream && this.#say(state));
    }
    stream.addEventListener('mutation', ({detail}) => this.#stream === stream && this.#take(detail));
    stream.connect();
  }

  #say(state) {
    this.#parts.state.dataset.state = state;
    this.#parts.state.textContent = state;
  }

  #take(seen) {
    if (!this.#held) {
      this.#add(seen);
      return;
    }
    this.#held.push(seen);
    this.#held.splice(0, this.#held.length - MAX_ROWS);
    this.#parts.pause.textContent = `Resume (${this.#held.length} new)`;
  }

  #pause() {
    const held = this.#held;
    this.#held = held ? undefined : [];
    this.#parts.pause.textContent = held ? 'Pause' : 'Resume';
    held?.forEach(seen => this.#add(seen));
  }

  #clear() {
    this.#parts.rows.replaceChildren();
    if (this.#held) {
      this.#held = [];
      this.#parts.pause.textContent = 'Resume';
    }
    this.#showEmpty();
  }

  #add(seen) {
    const {rows} = this.#parts;
    const isAtEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 8;
    const row = seen.dropped ? gap(seen.dropped) : rowOf(seen);
    row.hidden = !this.#matches(row);
    rows.append(row);
    while (rows.childElementCount > MAX_ROWS) {
      rows.firstElementChild.remove();
    }
    if (isAtEnd) {
      rows.scrollTop = rows.scrollHeight;
    }
    this.#showEmpty();
  }

  #filter() {
    for (const row of this.#parts.rows.children) {
      row.hidden = !this.#matches(row);
    }
    this.#showEmpty();
  }

  /** What was dropped may have been anything. */
  #matches({dataset}) {
    const {outcome, text} = this.#parts;
    return (
      dataset.outcome === undefined ||
      ((outcome.value === '' || dataset.outcome === outcome.value) && dataset.name.toLowerCase().includes(text.value.trim().toLowerCase()))
    );
  }

  /** Says why there is nothing to see. */
  #showEmpty() {
    const {rows, whose, nobody, empty, none} = this.#parts;
    const all = [...rows.children];
    rows.hidden = all.every(row => row.hidden);
    nobody.hidden = whose.length > 0;
    empty.hidden = all.length > 0 || whose.length === 0;
    none.hidden = all.length === 0 || !rows.hidden;
  }
}

function gap(count) {
  return element('li', {className: 'gap', textContent: `${count} more came faster than this page reads.`});
}

function rowOf(seen) {
  const {at, userId, clientID, clientGroupID, id, name, outcome, millis, code, message, position} = seen;
  const args = argsOf(seen);
  const preview = args.length > MAX_PREVIEW ? `${args.slice(0, MAX_PREVIEW)}…` : args;
  const summary = element(
    'summary',
    {},
    timeElement(new Date(at)),
    element('span', {className: 'outcome', dataset: {outcome}, textContent: outcome}),
    element('span', {className: 'who', textContent: userId}),
    element('strong', {textContent: name}),
    element('span', {className: 'args', textContent: preview}),
    ...(position ? [element('code', {className: 'position', textContent: position})] : []),
    element('span', {className: 'number', textContent: `${millis} ms`}),
  );
  const facts = [
    ['arguments', element('pre', {tabIndex: 0, textContent: pretty(seen, args)})],
    ...(code ? [['why', `${code}: ${message}`]] : []),
    ['from', clientGroupID === '' ? 'POST /mutations' : `the client ${clientID}, of the group ${clientGroupID}, as its number ${id}`],
  ];
  const details = element(
    'dl',
    {},
    ...facts.map(([term, fact]) => element('div', {}, element('dt', {textContent: term}), element('dd', {}, fact))),
  );
  return element('li', {dataset: {outcome, name}}, element('details', {}, summary, details));
}

/** The arguments as JSON, or what there is of them. */
function argsOf({args, argsCut}) {
  return argsCut === undefined ? (args === undefined ? '' : JSON.stringify(args)) : `${argsCut}…`;
}

function pretty({args, argsCut, argsLength}, text) {
  if (argsCut !== undefined) {
    return `${text}\n(${argsLength} characters)`;
  }
  return args === undefined ? 'too large to be taken' : JSON.stringify(args, undefined, 2);
}
