/** What `ScenarioMutators` and the built-in mutators do, in JavaScript. */
const entry = (key, room) => [key, room && {room}];

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396. */
function merged(before, patch) {
  if (!isObject(patch)) {
    return patch;
  }
  const after = isObject(before) ? {...before} : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      delete after[name];
    } else {
      after[name] = merged(after[name], value);
    }
  }
  return after;
}

export const mutators = {
  async put(tx, {key, value, room}) {
    await tx.set(key, value, room && {room});
  },

  async patch(tx, {key, merge, room, create}) {
    const before = await tx.get(...entry(key, room));
    if (before !== undefined || create) {
      await tx.set(key, merged(before, merge), room && {room});
    }
  },

  async del(tx, {key, room}) {
    await tx.del(...entry(key, room));
  },

  async increment(tx, {key, id, room}) {
    for (const each of [key, id]) {
      await tx.set(each, ((await tx.get(...entry(each, room))) ?? 0) + 1, room && {room});
    }
  },

  createRoom: (tx, {room}) => tx.rooms.create(room),
  putMember: (tx, {room, userId, role}) => tx.rooms.put(room, userId, role),
  removeMember: (tx, {room, userId}) => tx.rooms.remove(room, userId),

  async putThenReject(tx, {key}) {
    await tx.set(key, 'never');
    throw Object.assign(new Error('the scenario wants it so'), {code: 'unwanted'});
  },

  async putThenFail(tx, {key}) {
    await tx.set(key, 'never');
    throw new Error('a bug that the scenario wants');
  },
};
