import {pause} from './waiting.mjs';

const KEYS = Array.from({length: 8}, (_, i) => `key ${i}`);
const COUNTERS = ['count 0', 'count 1', 'count 2'];
const LONGEST_PAUSE_MS = 30;

/** A room in which every user may always write. */
export const ROOM = 'everybody';

/** A room whose members change all the time. */
export const CLUB = 'club';

/** What one tab of a device does, and the next one after it is closed: random edits. */
export class Life {
  /** The increments it made, as `{key, clientID, mutationID}` by id. */
  increments = new Map();

  /** The client groups of its tabs. */
  groups = new Set();

  /** The ids of those that went with their tab, unless the server got them before. */
  #closedWith = new Set();

  /** Whose device it is on. */
  user;

  #name;
  #openTab;
  #random;

  /**
   * @param number makes its values differ from those of its user's others
   * @param openTab opens its next tab
   */
  constructor(user, number, openTab, random) {
    this.user = user;
    this.#name = `${user} ${number}`;
    this.#openTab = openTab;
    this.#random = random;
    this.tab = openTab();
  }

  /** Whether what was pending when its tab was closed had not been stored, as far as is known. */
  mayBeLost(id) {
    return this.#closedWith.has(id);
  }

  /** Lives until a moment. */
  async run(deadline, userIDs) {
    while (Date.now() < deadline) {
      await this.#act(userIDs);
      await pause(this.#random.below(LONGEST_PAUSE_MS));
    }
  }

  #act(userIDs) {
    const random = this.#random;
    const {mutate} = this.tab;
    const entry = {key: random.pick(KEYS), room: random.pick([undefined, undefined, ROOM, CLUB])};
    const member = {room: CLUB, userId: random.pick(userIDs)};
    return random.weighted([
      [40, () => this.#increment(random.pick([undefined, ROOM]))],
      [15, () => mutate.put({...entry, value: `${this.#name} ${random.below(1_000)}`})],
      [8, () => mutate.patch({...entry, merge: {[this.#name]: random.pick([null, random.below(1_000)])}})],
      [10, () => mutate.del(entry)],
      [3, () => mutate.putMember({...member, role: random.pick(['writer', 'reader'])})],
      [3, () => mutate.removeMember(member)],
      [2, () => mutate.unknown(entry)],
      [2, () => mutate.putThenFail(entry)],
      [10, () => this.tab.pull()],
      [2, () => this.tab.goOffline()],
      [6, () => this.tab.goOnline()],
      [2, () => this.#reopen()],
    ]);
  }

  async #increment(room) {
    const counter = this.#random.pick(COUNTERS);
    const key = room === undefined ? counter : `${room} ${counter}`;
    const id = `id ${this.#name} ${this.increments.size}`;
    const mutation = await this.tab.mutate.increment({key, id, room});
    this.increments.set(id, {key, ...mutation});
    this.groups.add(await this.tab.rep.clientGroupID);
  }

  async #reopen() {
    const pending = (await this.tab.pending()).filter(({clientID}) => clientID === this.tab.rep.clientID);
    await this.tab.close();
    this.tab = this.#openTab();
    const stored = new Set((await this.tab.pending()).map(({args}) => args?.id));
    pending.filter(({args}) => !stored.has(args?.id)).forEach(({args}) => this.#closedWith.add(args?.id));
  }
}
