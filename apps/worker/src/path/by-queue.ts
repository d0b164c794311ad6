/** Makes the function that finds what belongs to a queue: every queue has its own, which is made when it is first asked for. */
export function byQueue<Own>(make: (queue: string) => Own): (queue: string) => Own {
  const known = new Map<string, Own>();
  return (queue) => {
    const found = known.get(queue) ?? make(queue);
    known.set(queue, found);
    return found;
  };
}
