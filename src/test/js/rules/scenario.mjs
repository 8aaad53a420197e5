import {builtInMutators} from 'replistream';

/** What `ScenarioMutators` and the built-in mutators do, in JavaScript; to be bundled with the client module. */
export const mutators = {
  ...builtInMutators,

  async increment(tx, {key, id, room}) {
    const place = room && {room};
    for (const each of [key, id]) {
      await tx.set(each, ((await tx.get(each, place)) ?? 0) + 1, place);
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
