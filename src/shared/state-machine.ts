/**
 * A state is one word in a table. A table maps each state to the inputs it takes and the state each leads to;
 * what is not in the table is illegal and throws, naming both words.
 */
export type Transitions<State extends string, Input extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, State>>>>
>;

/** Returns the step function of a table. @throws {Error} on an input that the state does not take. */
export function stateMachine<State extends string, Input extends string>(
  name: string,
  table: Transitions<State, Input>,
): (state: State, input: Input) => State {
  return (state, input) => {
    const next = table[state][input];
    if (next === undefined) throw new Error(`${name}: no input '${input}' in state '${state}'`);
    return next;
  };
}
