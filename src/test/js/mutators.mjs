import {builtInMutators} from '../../main/js/replistream.js';

/**
 * The client's side of the server's mutators: the built-in ones, then those of `ScenarioMutators`. A
 * room is the server's business, so here an entry has a key only.
 */
export const mutators = {
  ...builtInMutators,

  /**
   * Adds 1 to the number at `key`, and 1 to that at `id`, which shows who was applied how often. Says
   * which mutation of which client it is.
   */
  async increment(tx, {key, id}) {
    await tx.set(key, ((await tx.get(key)) ?? 0) + 1);
    await tx.set(id, ((await tx.get(id)) ?? 0) + 1);
    return {clientID: tx.clientID, mutationID: tx.mutationID};
  },

  createRoom: () => {},
  putMember: () => {},
  removeMember: () => {},

  putThenReject: (tx, {key}) => tx.set(key, 'never'),
  putThenFail: (tx, {key}) => tx.set(key, 'never'),

  /** One that the server does not have. */
  unknown: (tx, {key}) => tx.set(key, 'never'),
};
