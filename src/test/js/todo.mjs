import assert from 'node:assert/strict';
import {isDeepStrictEqual} from 'node:util';

import {scenario} from './harness.mjs';
import {realFetch} from './network.mjs';
import {token} from './server.mjs';
import {mutators} from '../../main/resources/web/demo/mutators.mjs';
import {eventually} from './waiting.mjs';

/** `put` is built in, and shut where there are rules. */
const TODO = {mutators: {...mutators, put: (tx, {key, value}) => tx.set(key, value)}, live: true};

async function twoUsers(open) {
  const alice = open('alice', TODO);
  const bob = open('bob', TODO);
  await Promise.all([alice.listening(), bob.listening()]);
  const list = {id: 'groceries', name: 'Groceries', ownerID: alice.userID};
  const share = {id: 'with-bob', listID: list.id, userID: bob.userID};
  const milk = {id: 'milk', listID: list.id, text: 'Milk', completed: false};
  await alice.mutate.createList(list);
  await alice.mutate.createTodo(milk);
  return {alice, bob, list, share, milk};
}

/** Shares the list with a user, who accepts the invitation. */
async function shareWith(server, owner, guest, share) {
  await owner.mutate.createShare(share);
  await owner.settled();
  const room = `${owner.userID}/${share.listID}`;
  const answer = await realFetch(`${server.url}/rooms/${encodeURIComponent(room)}/join`, {
    method: 'POST',
    headers: {Authorization: `Bearer ${token(guest.userID)}`},
  });
  assert.equal(answer.status, 201, await answer.text());
}

/** Waits for the poke that makes it show exactly this. */
async function showsAll(tab, expected) {
  const shown = async () => Object.fromEntries(await tab.view());
  await eventually(
    async () => `${tab.device} shows ${JSON.stringify(expected)}, not ${JSON.stringify(await shown())}`,
    async () => isDeepStrictEqual(await shown(), expected) && (await tab.pending()).length === 0,
  );
}

/** What the todo application does on a server with its rules. */
export function todoScenarios(server) {
  scenario('a shared list shows to the other user, who may add to it', server, async open => {
    const {alice, bob, list, share, milk} = await twoUsers(open);
    await alice.settled();
    await bob.pulled();
    assert.deepEqual(await bob.view(), new Map());

    await shareWith(server, alice, bob, share);
    const shared = {'list/groceries': list, 'share/with-bob': share, 'todo/milk': {...milk, sort: 1}};
    await showsAll(bob, shared);
    const eggs = {id: 'eggs', listID: list.id, text: 'Eggs', completed: false};
    await bob.mutate.createTodo(eggs);
    await bob.mutate.updateTodo({id: 'milk', completed: true});

    const both = {...shared, 'todo/milk': {...milk, completed: true, sort: 1}, 'todo/eggs': {...eggs, sort: 2}};
    await showsAll(alice, both);
    await showsAll(bob, both);
  });

  scenario('a list that is shared no more disappears from the other user', server, async open => {
    const {alice, bob, list, share, milk} = await twoUsers(open);
    await shareWith(server, alice, bob, share);
    await bob.shows('list/groceries', list);

    await alice.mutate.deleteShare(share.id);
    await showsAll(bob, {});
    await showsAll(alice, {'list/groceries': list, 'todo/milk': {...milk, sort: 1}});
    await bob.mutate.createTodo({id: 'late', listID: list.id, text: 'Too late', completed: false});
    await showsAll(bob, {});
    await alice.pulled();
    assert.equal(await alice.get('todo/late'), undefined);
  });

  scenario('the other user may leave a shared list, and not delete it', server, async open => {
    const {alice, bob, list, share, milk} = await twoUsers(open);
    await shareWith(server, alice, bob, share);
    const shared = {'list/groceries': list, 'share/with-bob': share, 'todo/milk': {...milk, sort: 1}};
    await showsAll(bob, shared);

    await bob.mutate.deleteList(list.id);
    await showsAll(bob, shared);
    await bob.mutate.deleteShare(share.id);
    await showsAll(bob, {});
    await showsAll(alice, {'list/groceries': list, 'todo/milk': {...milk, sort: 1}});
  });

  scenario('a deleted list disappears from all with what is in it', server, async open => {
    const {alice, bob, list, share} = await twoUsers(open);
    await shareWith(server, alice, bob, share);
    await bob.shows('list/groceries', list);

    await alice.mutate.deleteList(list.id);
    await showsAll(alice, {});
    await showsAll(bob, {});
  });

  scenario('todos that two offline users add at the same time get places of their own', server, async open => {
    const {alice, bob, list, share} = await twoUsers(open);
    await shareWith(server, alice, bob, share);
    await bob.shows('todo/milk', {id: 'milk', listID: list.id, text: 'Milk', completed: false, sort: 1});
    alice.goOffline();
    bob.goOffline();
    await alice.mutate.createTodo({id: 'a', listID: list.id, text: 'A', completed: false});
    await bob.mutate.createTodo({id: 'b', listID: list.id, text: 'B', completed: false});
    assert.deepEqual([(await alice.get('todo/a')).sort, (await bob.get('todo/b')).sort], [2, 2]);

    alice.goOnline();
    await alice.settled();
    bob.goOnline();
    await bob.settled();
    await alice.shows('todo/b', {id: 'b', listID: list.id, text: 'B', completed: false, sort: 3});
    assert.equal((await alice.get('todo/a')).sort, 2);
    assert.deepEqual(await bob.view(), await alice.view());
  });

  scenario('a mutator that the application shut has no effect', server, async open => {
    const {alice, list, milk} = await twoUsers(open);
    await alice.mutate.put({key: 'anything', value: 'at all'});
    await showsAll(alice, {'list/groceries': list, 'todo/milk': {...milk, sort: 1}});
  });
}
