// The mutators of an application, which are its rules on the server too: one file for both sides.
import {Replicache, type ReadTransaction as ReplicachesReadTransaction, type WriteTransaction as ReplicachesWriteTransaction} from 'replicache';
import {builtInMutators, type Mutators, type ReadTransaction, type Role, type WriteTransaction} from '../../../main/js/replistream.js';

type Todo = {id: string; text: string; done: boolean; sort: number};

/** A helper that mutators and subscriptions share. */
async function todos(tx: ReadTransaction, room?: string) {
  return (await tx.scan<Todo>({prefix: 'todo/', start: {key: 'todo/0', exclusive: true}, limit: 100, room}).entries().toArray())
    .map(([key, todo]) => ({key, ...todo}));
}

const mutators = {
  async createTodo(tx: WriteTransaction, {room, ...todo}: Todo & {room?: string}) {
    const last = (await todos(tx, room)).at(-1);
    await tx.set(`todo/${todo.id}`, {...todo, sort: (last?.sort ?? 0) + 1}, {room});
  },

  async setDone(tx: WriteTransaction, {id, done}: {id: string; done: boolean}) {
    const todo = await tx.get<Todo>(`todo/${id}`);
    if (todo === undefined) {
      return false;
    }
    await tx.set(`todo/${id}`, {...todo, done});
    return tx.has(`todo/${id}`, {room: 'plan'});
  },

  async deleteAll(tx: WriteTransaction) {
    for await (const key of tx.scan({prefix: 'todo/'}).keys()) {
      const was: boolean = await tx.del(key, {room: undefined});
      console.log(was, await tx.isEmpty({room: 'plan'}), tx.reason === 'authoritative', tx.mutationID.toFixed(), tx.clientID.length);
    }
  },

  async share(tx: WriteTransaction, {room, guest, role}: {room: string; guest: string; role: Role}) {
    if (!tx.rooms || tx.claims?.['plan'] !== 'paid') {
      return null; // in the browser there is nothing to do
    }
    const owner: string | undefined = tx.user;
    await tx.rooms.create(room);
    await tx.rooms.invite(room, guest, role);
    await tx.rooms.put(room, guest, 'reader');
    const rooms: string[] = (await tx.rooms.list()).map(({id, role}) => id + role);
    const members: string[] = (await tx.rooms.members(room)).map(({userId}) => userId);
    const isGone: boolean = await tx.rooms.remove(room, guest);
    await tx.set('link', await tx.rooms.createLink(room, 'writer', {expiresIn: 3600, uses: 3}));
    await tx.unrestricted?.rooms?.delete(room);
    await tx.unrestricted?.set('log', [...rooms, ...members, isGone, owner ?? 'nobody'], {room: 'log'});
    return rooms;
  },

  rename: (tx: WriteTransaction, text: string) => tx.set('name', text),
  touch: () => {},

  // one that knows only Replicache's types is a rule as well
  replicaches: (tx: ReplicachesWriteTransaction, text: string) => tx.set('name', text),
};

const rules: Mutators = mutators;
const replicache = new Replicache({name: 'alice', mutators});
new Replicache({name: 'alice', mutators: rules});
console.log(
  await replicache.mutate.createTodo({id: '1', text: 'milk', done: false, sort: 0, room: 'plan'}),
  await replicache.mutate.setDone({id: '1', done: true}) === true,
  await replicache.mutate.deleteAll(),
  await replicache.mutate.share({room: 'plan', guest: 'bob', role: 'writer'}),
  await replicache.mutate.rename('text'),
  await replicache.mutate.touch(),
);
replicache.subscribe(tx => todos(tx), list => console.log(list.map(({key, text, done}) => `${key} ${text} ${done}`)));

// the built-in ones, alone and beside others
const {mutate} = new Replicache({name: 'alice', mutators: {...builtInMutators, rename: mutators.rename}});
await mutate.put({key: 'k', value: {a: [1, null, {b: 'text'}]}, room: 'plan'});
await mutate.patch({key: 'k', merge: {a: null, c: {d: true}}, create: true});
const was: boolean = await mutate.del({key: 'k', room: 'plan'});
await mutate.rename(String(was));
const builtIn: Mutators = builtInMutators;
console.log(builtIn);

// Replicache's transactions are ours
declare const reading: ReplicachesReadTransaction;
declare const writing: ReplicachesWriteTransaction;
const ours: [ReadTransaction, WriteTransaction] = [reading, writing];
console.log(ours);

export const wrong = {
  // @ts-expect-error: a value is JSON
  noJson: (tx: WriteTransaction) => tx.set('k', () => {}),
  // @ts-expect-error: a key is a string
  noKey: (tx: WriteTransaction) => tx.get(7),
  // @ts-expect-error: a room is named by its id
  noRoom: (tx: WriteTransaction) => tx.del('k', {room: 7}),
  // @ts-expect-error: the server has no indexes
  index: (tx: WriteTransaction) => tx.scan({indexName: 'byText'}),
  // @ts-expect-error: in the browser there are no rooms
  inBrowser: (tx: WriteTransaction) => tx.rooms.create('plan'),
  // @ts-expect-error: nor rights that could be left aside
  unrestricted: (tx: WriteTransaction) => tx.unrestricted.set('k', 1),
  // @ts-expect-error: nobody knows there who pushed
  user: (tx: WriteTransaction) => tx.user.length,
  // @ts-expect-error: no such role
  role: (tx: WriteTransaction) => tx.rooms?.put('plan', 'bob', 'king'),
  // @ts-expect-error: what was read stays as it is
  frozen: async (tx: WriteTransaction) => ((await tx.get<Todo>('k'))!.done = true),
  // @ts-expect-error: there is no such member
  typo: (tx: WriteTransaction) => tx.userId,
  // @ts-expect-error: who only reads does not write
  reads: (tx: ReadTransaction) => tx.set('k', 1),
};
// @ts-expect-error: a mutator takes a transaction
export const noTransaction: Mutators = {bad: (tx: string) => tx};
// @ts-expect-error: a mutator gives back JSON, or nothing
export const noResult: Mutators = {bad: () => () => {}};
// @ts-expect-error: a put needs a value
mutate.put({key: 'k'});
// @ts-expect-error: a patch merges
mutate.patch({key: 'k', value: {}});
// @ts-expect-error: a key is a string
mutate.del({key: 7});
// @ts-expect-error: create is true or false
mutate.patch({key: 'k', merge: {}, create: 1});
