import * as z from 'zod';

const Order = z.object({
  id: z.string().trim().min(1).max(20),
  email: z.email(),
  count: z.number().int().positive().default(1),
  sizes: z.array(z.enum(['small', 'large'])).optional(),
  due: z.iso.datetime().transform(text => Date.parse(text)).optional(),
});

/** The arguments as the schema wants them; what is wrong with them becomes the reason of a rejection. */
function checked(schema, args) {
  const {success, data, error} = schema.safeParse(args);
  if (!success) {
    const [{code, path, message}] = error.issues;
    throw Object.assign(new Error(`${path.join('.')}: ${message}`), {code});
  }
  return data;
}

const put = (tx, order) => tx.set(`order/${order.id}`, order);

/** Mutators that check their arguments with zod. */
export const mutators = {
  order: (tx, args) => put(tx, checked(Order, args)),

  /** Checked by the server alone, as a page that was tampered with has it. */
  orderUnchecked: (tx, args) => put(tx, tx.location === 'server' ? checked(Order, args) : args),

  /** `parse` throws an error without a code, as a bug does. */
  orderParsed: (tx, args) => put(tx, tx.location === 'server' ? Order.parse(args) : args),

  /** Would change what zod says of all mutations to come. */
  async configure(tx) {
    if (tx.location === 'server') {
      z.config({customError: () => 'configured'});
    }
  },
};
