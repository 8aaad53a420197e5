import {ENTRIES, EXPRESSIONS} from './table.mjs';

/** What the last run of `evaluate` in this process has found. */
export const found = [];

const code = (name, message) => Object.assign(new Error(message), {code: name});

/** The mutators of these tests, the same file in the client and on the server. */
export const mutators = {
  async evaluate(tx) {
    for (const [key, value] of ENTRIES) {
      await tx.set(key, value);
    }
    const results = [];
    for (const expression of EXPRESSIONS) {
      const result = await expression(tx);
      results.push(result === undefined ? 'undefined' : JSON.stringify(result));
    }
    if (tx.location === 'client') {
      found.splice(0, Infinity, ...results);
    } else {
      await tx.set('results', results);
    }
  },

  async increment(tx, {key, id}) {
    await tx.set(key, ((await tx.get(key)) ?? 0) + 1);
    await tx.set(id, ((await tx.get(id)) ?? 0) + 1);
  },

  async put(tx, {key, value, room}) {
    await tx.set(key, value, room && {room});
  },

  async share(tx, {room, user}) {
    await tx.rooms?.create(room);
    await tx.rooms?.invite(room, user, 'writer');
  },

  /** Lets in whoever knows the word, which is nobody's business but the server's. */
  async knock(tx, {room, word}) {
    if (tx.unrestricted) {
      if ((await tx.unrestricted.get('word', {room})) !== word) {
        throw code('wrong-word', 'that is not the word');
      }
      await tx.unrestricted.rooms.put(room, tx.user, 'writer');
    }
  },

  async buy(tx, {item}) {
    const stock = (await tx.get(`stock/${item}`)) ?? 0;
    if (tx.location === 'server' && stock < 1) {
      throw code('sold-out', `no ${item} is left`);
    }
    await tx.set(`stock/${item}`, stock - 1);
  },

  async bug(tx) {
    await tx.set('bug', 'never');
    if (tx.location === 'server') {
      await tx.get('none').then(none => none.missing);
    }
  },

  async loop(tx) {
    await tx.set('loop', 'never');
    while (tx.location === 'server');
  },
};
