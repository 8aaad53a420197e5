/**
 * The seven mutators of the todo application, the same file in the page and on the server. A list is a room: its entries
 * live there, and sharing the list invites the other user. Who may do what follows from the roles, so hardly a mutator
 * checks it.
 */
export const mutators = {
  /**
   * Makes the room too, unless `room` names one that there is; with `null` the list is in none, and private. Clients make
   * up the ids, so a room that is made is named after its owner as well.
   */
  async createList(tx, {id, name, ownerID, room}) {
    if (isServer(tx) && ownerID !== tx.user) {
      throw rejection('not-yours', 'a list for somebody else');
    }
    await requireNew(tx, `list/${id}`);
    const list = room === undefined ? {id, name, ownerID} : {id, name, ownerID, room};
    if (room === undefined) {
      await tx.rooms?.create(roomOf(list));
    }
    await tx.set(`list/${id}`, list, {room: roomOf(list)});
  },

  async deleteList(tx, id) {
    const room = await roomOfList(tx, id);
    if (isServer(tx) && room) {
      return tx.rooms.delete(room); // with all that is in it
    }
    await tx.del(`list/${id}`);
    for (const prefix of ['todo/', 'share/']) {
      for await (const [key, {listID}] of tx.scan({prefix}).entries()) {
        if (listID === id) {
          await tx.del(key);
        }
      }
    }
  },

  async createTodo(tx, {id, listID, text, completed}) {
    await requireNew(tx, `todo/${id}`);
    const room = await roomOfList(tx, listID);
    let last = 0;
    for await (const todo of tx.scan({prefix: 'todo/', room})) {
      if (todo.listID === listID) {
        last = Math.max(last, todo.sort);
      }
    }
    await tx.set(`todo/${id}`, {id, listID, text, completed, sort: last + 1}, {room});
  },

  async updateTodo(tx, {id, ...changes}) {
    const todo = await tx.get(`todo/${id}`);
    if (todo === undefined) {
      return missing(tx, 'todo');
    }
    const {text = todo.text, completed = todo.completed, sort = todo.sort} = changes;
    await tx.set(`todo/${id}`, {...todo, text, completed, sort});
  },

  async deleteTodo(tx, id) {
    await tx.del(`todo/${id}`);
  },

  async createShare(tx, {id, listID, userID}) {
    await requireNew(tx, `share/${id}`);
    const room = await roomOfList(tx, listID);
    if (isServer(tx) && !room) {
      throw rejection('private', 'the list is in no room');
    }
    const members = (await tx.rooms?.members(room)) ?? [];
    if (isServer(tx) && !members.some(member => member.userId === userID)) {
      await tx.rooms.invite(room, userID, 'writer');
    }
    await tx.set(`share/${id}`, {id, listID, userID}, {room});
  },

  /** The list's owner may, and the user with whom it is shared. */
  async deleteShare(tx, id) {
    const share = await tx.get(`share/${id}`);
    if (share === undefined) {
      return missing(tx, 'share');
    }
    const room = await roomOfList(tx, share.listID);
    await tx.del(`share/${id}`, {room});
    const others = await tx.scan({prefix: 'share/', room}).toArray();
    if (!others.some(other => other.listID === share.listID && other.userID === share.userID)) {
      await tx.rooms?.remove(room, share.userID);
    }
  },
};

const isServer = tx => tx.location === 'server';

/** An error with a code is the rule's decision, of which the author is told. */
const rejection = (code, message) => Object.assign(new Error(message), {code});

/** The page goes on, as it may have what the server has deleted; the server says so. */
function missing(tx, what) {
  if (isServer(tx)) {
    throw rejection('missing', `the user sees no such ${what}`);
  }
}

async function requireNew(tx, key) {
  if (isServer(tx) && (await tx.has(key))) {
    throw rejection('taken', 'the id is taken');
  }
}

/** The room of a list that the user sees, if it is in one. */
async function roomOfList(tx, id) {
  const list = await tx.get(`list/${id}`);
  return list === undefined ? missing(tx, 'list') : roomOf(list);
}

/** No two lists share a room that was made for them, as no slash is left in the owner's id. */
function roomOf({id, ownerID, room = `${ownerID.replaceAll('~', '~0').replaceAll('/', '~1')}/${id}`}) {
  return room ?? undefined;
}
