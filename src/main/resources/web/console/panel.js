import {ReplicacheSSE} from '/replistream.js';
import {copyItem, element, parts, showItems, timeElement} from './elements.js';
import {API, isDevelopment} from './credentials.js';
import {takePlace} from './places.js';
import {Plot, rounded} from './plot.js';
import {Rooms} from './rooms.js';

const ROOMS_INTERVAL_MS = 10_000;
const LONGEST_ANSWER_MS = 1_000; // what was true before it is not shown any longer
const MAX_LOG_LINES = 300;
const hasSessions = document.documentElement.dataset.sessions === 'true';

/** One user with its stream: what happened, how fast, and the buttons to make it happen. */
export class Panel {
  #credentials;
  #parts;
  #turn; // from Connect to Disconnect, or the stream's end for good
  #stream;
  #place;
  #plot;
  #rooms;
  #timer;
  #askedAt; // while there is no answer
  #isTrouble = false;
  #pokes = []; // when those were sent whose sync has not come
  #syncs = 0;

  /** @param {(panel: Panel) => void} onRemove told when the user takes this panel away */
  constructor(credentials, onRemove) {
    this.#credentials = credentials;
    const copy = document.getElementById('panel').content.cloneNode(true);
    this.element = copy.querySelector('section');
    this.#parts = parts(this.element);
    this.#plot = new Plot(this.#parts.plot);
    this.#rooms = new Rooms(credentials, this.element, (event, detail) => this.#log(event, detail));
    this.#label(credentials.user);
    this.#parts.poke.onclick = () => this.#poke();
    this.#parts.toggle.onclick = () => (this.#turn ? this.disconnect() : this.connect());
    this.#parts.remove.onclick = () => onRemove(this);
    this.#parts.clear.onclick = () => this.#parts.lines.replaceChildren();
    this.#parts.curl.ontoggle = () => this.#showCommands();
  }

  get user() {
    return this.#credentials.user;
  }

  get credentials() {
    return this.#credentials;
  }

  focus() {
    this.element.querySelector('h2').focus();
  }

  #label(user) {
    const heading = this.element.querySelector('h2');
    heading.textContent = user;
    this.element.dataset.user = user;
    this.element.setAttribute('aria-label', `User ${user}`);
    this.#parts.log.setAttribute('aria-label', `Events of ${user}`);
    for (const name of ['poke', 'toggle', 'remove', 'clear']) {
      this.#parts[name].setAttribute('aria-description', `user ${user}`);
    }
  }

  async #showCommands() {
    try {
      this.#parts.commands.replaceChildren(...(await commands(this.#credentials)).map(([name, text]) => copyItem(name, text)));
    } catch (error) {
      this.#log('failed', error.message);
    }
  }

  async connect() {
    const turn = {};
    this.#turn = turn;
    this.#parts.toggle.textContent = 'Disconnect';
    this.#say('connecting');
    const place = await takePlace('console');
    if (this.#turn !== turn) {
      place.giveBack();
      return;
    }
    this.#place = place;
    const stream = new ReplicacheSSE({url: API, auth: this.#credentials.fresh, transports: place.transports});
    this.#stream = stream;
    stream.addEventListener('connected', ({detail}) => {
      this.#say('connected', 'connected', described(detail));
      this.refresh();
      this.#rooms.refresh();
    });
    stream.addEventListener('sync', ({detail}) => this.#synced(detail));
    stream.addEventListener('offline', ({detail}) => {
      this.#say('offline', 'offline', ended(detail));
      this.#showNothing();
      if (detail.final) {
        this.#stopped();
      }
    });
    stream.addEventListener('expired', ({detail}) => {
      this.#say('expired', 'expired', ended(detail));
      this.#showNothing();
      this.#stopped();
    });
    stream.connect();
    this.#timer = setInterval(() => this.#isConnected() && !document.hidden && this.#rooms.refresh(), ROOMS_INTERVAL_MS);
  }

  disconnect() {
    if (this.#turn) {
      this.#stream?.disconnect();
      this.#say('disconnected', 'disconnected');
      this.#stopped();
    }
  }

  #stopped() {
    clearInterval(this.#timer);
    this.#place?.giveBack();
    this.#place = undefined;
    this.#stream = undefined;
    this.#turn = undefined;
    this.#pokes = [];
    this.#parts.toggle.textContent = 'Connect';
  }

  #isConnected() {
    return this.#parts.state.dataset.state === 'connected';
  }

  #say(state, event, detail) {
    this.#parts.state.dataset.state = state;
    this.#parts.state.textContent = state;
    if (event) {
      this.#log(event, detail);
    }
  }

  async #poke() {
    const start = performance.now();
    this.#pokes.push(start);
    try {
      const {clientsNotified} = await (await this.#credentials.call('POST', '/poke-user')).json();
      this.#log('poked', clientsNotified === 1 ? '1 stream told' : `${clientsNotified} streams told`);
      if (!this.#isConnected()) {
        this.#forget(start); // nobody here will hear of it
      }
    } catch (error) {
      this.#forget(start);
      this.#log('failed', error.message);
    }
  }

  #forget(start) {
    this.#pokes = this.#pokes.filter(each => each !== start);
  }

  /** One sync may be for several pokes. */
  #synced(detail) {
    const now = performance.now();
    this.#rooms.refresh();
    const times = this.#pokes.splice(0).map(start => now - start);
    times.forEach(time => this.#plot.add(time));
    this.#syncs++;
    this.#parts.syncs.textContent = this.#syncs;
    if (times.length > 0) {
      this.#parts.median.textContent = `${rounded(this.#plot.median())} ms`;
    }
    this.#log('sync', [described(detail), ...times.map(time => `${rounded(time)} ms`)].filter(Boolean).join(' · '));
  }

  #log(event, detail = '') {
    const {log, lines} = this.#parts;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    lines.append(
      element(
        'li',
        {},
        timeElement(new Date()),
        element('span', {className: 'event', dataset: {event}, textContent: event}),
        element('span', {className: 'detail', textContent: detail}),
      ),
    );
    while (lines.childElementCount > MAX_LOG_LINES) {
      lines.firstElementChild.remove();
    }
    if (atEnd) {
      log.scrollTop = log.scrollHeight;
    }
  }

  /** Asks how many streams there are, and which, with or without one of this panel's own. */
  async refresh() {
    if (this.#askedAt !== undefined) {
      if (performance.now() - this.#askedAt > LONGEST_ANSWER_MS) {
        this.#showNothing();
      }
      return;
    }
    if (this.#parts.state.dataset.state === 'expired') {
      return;
    }
    this.#askedAt = performance.now();
    try {
      const [stats, {sessions}] = await Promise.all([this.#ask('/stats'), hasSessions ? this.#ask('/sessions') : {}]);
      this.#parts.own.textContent = stats.userConnections;
      this.#parts.all.textContent = stats.totalConnections;
      if (sessions) {
        this.#showSessions(sessions);
      }
      this.#isTrouble = false;
    } catch (error) {
      this.#showNothing();
      if (!this.#isTrouble) { // said once, not at each attempt
        this.#log('failed', error.message);
      }
      this.#isTrouble = true;
    }
    this.#askedAt = undefined;
  }

  async #ask(route) {
    return (await this.#credentials.call('GET', route)).json();
  }

  /** What nobody knows is not shown. */
  #showNothing() {
    this.#parts.own.textContent = '–';
    this.#parts.all.textContent = '–';
    this.#parts.sessions.hidden = true;
    showItems(this.#parts.sessions.tBodies[0], [], () => {});
  }

  #showSessions(sessions) {
    this.#parts.sessions.hidden = false;
    const shown = sessions.map(({id, device, transport, connectedAt}) => ({id, device, transport, connectedAt}));
    showItems(this.#parts.sessions.tBodies[0], shown, session => this.#sessionRow(session), () => this.#parts.toggle);
  }

  #sessionRow({id, device, transport, connectedAt}) {
    const client = device ?? id;
    const end = element('button', {type: 'button', className: 'small', textContent: 'End'});
    end.setAttribute('aria-label', `End the connection of ${client}`);
    end.onclick = async () => {
      try {
        await this.#credentials.call('DELETE', `/sessions/${encodeURIComponent(id)}`);
        await this.refresh();
      } catch (error) {
        this.#log('failed', error.message);
      }
    };
    const cells = [client, transport, timeElement(new Date(connectedAt)), end];
    return element('tr', {}, ...cells.map(cell => element('td', {}, cell)));
  }
}

/** What `connected` and `sync` tell. */
function described({id, transport, holder}) {
  return [id && `id ${id}`, holder ? transport : 'by another tab'].filter(Boolean).join(' · ');
}

/** Why there is no stream, and when it is tried again. */
function ended({reason, status, delay, final}) {
  const again = final ? '' : delay === undefined ? 'waiting' : `again in ${rounded(delay / 1000)} s`;
  return [reason, status, again].filter(Boolean).join(' · ');
}

const AUTHORIZATION = '-H "Authorization: Bearer $TOKEN"';

/** Lines for a shell that work as they stand. A token that somebody pasted is not shown. */
async function commands(credentials) {
  return [
    ['token', isDevelopment ? `TOKEN=${await credentials.token()}` : 'TOKEN=...'],
    ['stream: leave it running', `curl -N ${AUTHORIZATION} ${API}/stream`],
    ['poke: the stream says sync', `curl -X POST ${AUTHORIZATION} ${API}/poke-user`],
    ['how many streams there are', `curl ${AUTHORIZATION} ${API}/stats`],
    ['ticket, for a native EventSource: /stream?ticket=…', `curl -X POST ${AUTHORIZATION} ${API}/ticket`],
  ];
}
