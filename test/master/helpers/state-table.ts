/** What holds for each table of states, whatever is in it: it is used as it stands, its states can be reached, and they are left. */
import { expect } from 'chai';
import type { Transitions } from '../../../src/shared/state-machine.ts';

export interface StateTable<State extends string, Input extends string> {
  readonly states: readonly State[];
  readonly inputs: readonly Input[];
  readonly table: Transitions<State, Input>;
  readonly next: (state: State, input: Input) => State;
  readonly first: State;
  readonly ends: readonly State[];
}

export function itIsASoundTable<State extends string, Input extends string>({
  states,
  inputs,
  table,
  next,
  first,
  ends,
}: StateTable<State, Input>): void {
  const nextOf = (state: State): State[] => inputs.flatMap((input) => table[state][input] ?? []);
  const reachedFrom = (start: State): Set<State> => {
    const reached = new Set([start]);
    for (const state of reached) for (const one of nextOf(state)) reached.add(one);
    return reached;
  };

  it('takes each input that its row has, and no other', () => {
    for (const state of states) {
      for (const input of inputs) {
        const to = table[state][input];
        if (to === undefined) expect(() => next(state, input)).to.throw(`no input '${input}' in state '${state}'`);
        else expect(next(state, input)).to.equal(to);
      }
    }
  });

  it(`reaches every state from '${first}'`, () => {
    expect([...reachedFrom(first)]).to.have.members([...states]);
  });

  it('can leave every state for an end, and no end', () => {
    for (const state of states) {
      if (ends.includes(state)) expect([...reachedFrom(state)], state).to.deep.equal([state]);
      else
        expect(
          ends.filter((end) => reachedFrom(state).has(end)),
          state,
        ).not.to.deep.equal([]);
    }
  });

  it('knows no input that no state takes', () => {
    expect(inputs.filter((input) => states.every((state) => table[state][input] === undefined))).to.deep.equal([]);
  });
}
