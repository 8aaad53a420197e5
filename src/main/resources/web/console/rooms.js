import {announce, copyItem, element, parts, showItems} from './elements.js';
import {makeLink} from './links.js';

/** The rooms of a user: what others invite it to, and whom it invites. */
export class Rooms {
  #credentials;
  #parts;
  #log;
  #chosen = ''; // the room that was chosen or made last, which the list may not have yet
  #isAsking = false;
  #isStale = false;

  /**
   * @param {import('./credentials.js').Credentials} credentials
   * @param {HTMLElement} panel has the parts
   * @param {(event: string, detail: string) => void} log told what was done, and what went wrong
   */
  constructor(credentials, panel, log) {
    this.#credentials = credentials;
    this.#parts = parts(panel);
    this.#log = log;
    const {rooms, room, maker, offer, role, link} = this.#parts;
    rooms.ontoggle = () => this.refresh();
    room.onchange = () => this.#try(() => this.#choose(room.value));
    maker.onsubmit = event => this.#submitted(event, () => this.#make());
    offer.onsubmit = event => this.#submitted(event, () => this.#invite());
    role.onchange = () => (link.disabled = role.value === 'owner'); // no link makes one
    link.onclick = () => this.#try(() => this.#makeLink());
  }

  /** Shows what is new. While it asks the server, it takes note to ask once more. */
  async refresh() {
    this.#isStale = true;
    if (this.#isAsking) {
      return;
    }
    this.#isAsking = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#showInvitations();
        if (this.#parts.rooms.open) {
          await this.#showRooms();
        }
      }
    } catch (error) {
      this.#log('failed', error.message);
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask(method, route, body) {
    const answer = await this.#credentials.call(method, route, body);
    return answer.status === 204 ? {} : answer.json();
  }

  /** Does what the user wants, and shows what came of it. */
  async #try(action) {
    try {
      await action();
    } catch (error) {
      this.#log('failed', error.message);
    }
    await this.refresh();
  }

  #submitted(event, action) {
    event.preventDefault();
    return this.#try(action);
  }

  async #showInvitations() {
    const {invitations} = await this.#ask('GET', '/invitations');
    const isNews = this.#show(this.#parts.invitations, invitations, each => this.#invitation(each));
    if (isNews && invitations.length > 0) {
      announce(`${this.#credentials.user} is invited to ${invitations.map(({room}) => room).join(', ')}.`);
    }
  }

  #invitation({room, role, invitedBy}) {
    const accept = this.#button('Accept', `Accept the invitation to ${room}`, async () => {
      const joined = await this.#ask('POST', `${path(room)}/join`);
      this.#log('joined', `${room} · ${joined.role}`);
    });
    const decline = this.#button('Decline', `Decline the invitation to ${room}`, async () => {
      await this.#ask('DELETE', `/invitations/${encodeURIComponent(room)}`);
      this.#log('declined', room);
    });
    return item([`${invitedBy} invites to ${room}, as ${role}`], accept, decline);
  }

  async #showRooms() {
    const {rooms} = await this.#ask('GET', '/rooms');
    const {choice, room} = this.#parts;
    choice.hidden = rooms.length === 0;
    const chosen = [this.#chosen, room.value].find(each => rooms.some(({id}) => id === each));
    this.#show(room, rooms, ({id, role}) => {
      const option = new Option(`${id} (${role})`, id);
      option.dataset.role = role;
      return option;
    });
    if (chosen) {
      room.value = chosen;
    }
    await this.#showOffers();
  }

  /** The invitations and links that the chosen room has open, which are for its owners to see. */
  async #showOffers() {
    const {room, offer, offers} = this.#parts;
    const chosen = room.value;
    const isOwner = room.selectedOptions[0]?.dataset.role === 'owner';
    offer.hidden = !isOwner;
    const [{invitations}, {links}] = isOwner
      ? await Promise.all(['invitations', 'links'].map(each => this.#ask('GET', `${path(chosen)}/${each}`)))
      : [{invitations: []}, {links: []}];
    if (chosen === room.value) {
      this.#show(offers, [...invitations, ...links], each => (each.id ? this.#link(each) : this.#invited(each)));
    }
  }

  #invited({room, userId, role}) {
    const withdraw = this.#button('Withdraw', `Withdraw the invitation of ${userId}`, () =>
      this.#ask('DELETE', `${path(room)}/invitations/${encodeURIComponent(userId)}`),
    );
    return item([`${userId} is invited, as ${role}`], withdraw);
  }

  #link({id, room, role, uses, expiresAt}) {
    const remove = this.#button('Delete', `Delete the link ${short(id)}`, async () => {
      await this.#ask('DELETE', `${path(room)}/links/${id}`);
      this.#parts.made.querySelector(`[data-link="${id}"]`)?.remove();
    });
    const until = element('time', {dateTime: expiresAt, textContent: day(expiresAt)});
    return item([`link ${short(id)} makes ${uses} more a ${role}, until `, until], remove);
  }

  #button(text, label, action) {
    const button = element('button', {type: 'button', className: 'small', textContent: text});
    button.setAttribute('aria-label', label);
    button.onclick = () => this.#try(action);
    return button;
  }

  #show(list, data, toElement) {
    const isNews = showItems(list, data, toElement, () => this.#parts.rooms.querySelector('summary'));
    list.hidden = data.length === 0;
    return isNews;
  }

  async #make() {
    const {maker, name} = this.#parts;
    const {id} = await this.#ask('POST', '/rooms', {id: name.value});
    maker.reset();
    this.#choose(id);
  }

  #choose(room) {
    this.#chosen = room;
    this.#parts.made.replaceChildren();
  }

  /** Of a member this changes the role, who has nothing to accept. */
  async #invite() {
    const {room, invited, role} = this.#parts;
    const member = `${path(room.value)}/members/${encodeURIComponent(invited.value)}`;
    const {userId, invitedBy, role: given} = await this.#ask('PUT', member, {role: role.value});
    invited.value = '';
    this.#log(invitedBy ? 'invited' : 'member', `${userId} · ${given}`);
  }

  async #makeLink() {
    const {room, role, made} = this.#parts;
    const {id, href} = await makeLink(room.value, role.value, this.#credentials);
    const item = copyItem(`link ${short(id)}, which is shown this once`, href);
    item.dataset.link = id;
    made.replaceChildren(item);
  }
}

function path(room) {
  return `/rooms/${encodeURIComponent(room)}`;
}

/** As much of a link's id as tells it from others. */
function short(id) {
  return id.slice(0, 8);
}

function day(timestamp) {
  return new Date(timestamp).toLocaleDateString('en-GB', {day: 'numeric', month: 'short'});
}

function item(text, ...buttons) {
  return element('li', {}, element('span', {}, ...text), ...buttons);
}
