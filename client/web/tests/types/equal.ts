/** Deep: with every object type written out, so that only the structure counts. */
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

/** Whether two types are the same, optional keys and `readonly` included. */
export type Equal<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;

export type Holds<T extends true> = T;

// That the comparison itself can fail:
export type Differ = [
  // @ts-expect-error optional is not required
  Holds<Equal<{ a?: string }, { a: string }>>,
  // @ts-expect-error nested, too
  Holds<Equal<{ a: { b: string | null } }, { a: { b: string } }>>,
  // @ts-expect-error a key more
  Holds<Equal<{ a: string; b: string }, { a: string }>>,
];
