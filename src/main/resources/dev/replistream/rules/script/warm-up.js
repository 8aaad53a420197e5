// What most mutators do, so that the engine has done it before the first of them runs.
export const mutators = {
  async warmUp(tx, count) {
    const before = await tx.get('count');
    await tx.set('count', {n: (before?.n ?? 0) + count, by: [tx.user, tx.clientID, tx.mutationID]});
    await tx.set('last', {text: `${before?.n}`, all: [null, true, 1.5]});
    for await (const [key, value] of tx.scan({prefix: '', limit: 2}).entries()) {
      if (key === 'last' && (await tx.has(key))) {
        await tx.set('seen', {...value, key});
      }
    }
    await tx.del('seen');
    try {
      await tx.get('', {room: 'none'});
    } catch (error) {
      if (!(error instanceof Error) || typeof error.code !== 'string') {
        throw error;
      }
    }
  },
};
